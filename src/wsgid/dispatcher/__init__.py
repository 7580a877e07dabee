"""The process between the edges and the workers: it alone holds the queue and knows who works on what."""
