"""What a translator learns from: corpora, their cleaning, subwords and batches."""
