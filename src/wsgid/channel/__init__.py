"""What dispatcher and workers say to each other over a UNIX stream socket."""
