"""What printed lines belong to: tables and boxes, combs, the paper; and the picture without them."""
