"""Where does a translator err? Scores by length, kinds of error, and the worst sentences, as numbers and as a page."""
