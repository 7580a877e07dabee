"""What plug-ins can implement, by the names that their authors import."""
