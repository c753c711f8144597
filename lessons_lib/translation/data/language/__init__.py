"""The two languages of the embedded corpus: words, rules and meanings.

Read in this order: ``words`` (what a word is, and what links it; with ``fixed``, expressions of several words); the
lexicon in tables: ``nouns`` (with ``living``, ``things``, ``places`` and ``names``), ``adjectives``, ``verbs`` (with
``verb_table``), ``numbers`` and ``small_words``; ``meaning`` (what a sentence says); ``english`` and ``french`` (how
each language says it) and ``writing`` (both, with capitals and marks); the modules ``sampling...`` and ``dates`` (how a
meaning is drawn at random); ``combinations`` and ``unseen`` (what training never sees).
"""
