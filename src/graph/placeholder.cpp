namespace unveil {}
