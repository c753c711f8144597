"""Fixed expressions whose words do not all mean the same thing.

``spell`` looks here. A word with a question mark only goes with the head, the word without one. Words with a number are
each linked surely with the one of the same number, and possibly with the others.
"""

FIXED = {
    "in front of": "in? front of?",
    "next to": "next to?",
    "près de": "près de?",
    "à côté de": "à? côté de?",
    "en face de": "en? face de?",
    "parce que": "parce que?",
    "pendant que": "pendant que?",
    "beaucoup de": "beaucoup de?",
    "a hundred": "a? hundred",
    "a thousand": "a? thousand",
    "two hundred": "two/1 hundred/2",
    "deux cents": "deux/1 cents/2",
    "five hundred": "five/1 hundred/2",
    "cinq cents": "cinq/1 cents/2",
}
