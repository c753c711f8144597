"""The two languages of the embedded corpus: words, rules and meanings.

Read in this order: ``words`` (what a word is, and what links it), ``nouns``, ``adjectives``, ``verbs`` and
``small_words`` (the lexicon: tables), ``meaning`` (what a sentence says), ``english`` and ``french`` (how each
language says it), ``sampling_phrases`` and ``sampling`` (how a meaning is drawn at random).
"""
