"""From a trained model to translations: greedy, beams, sampling, constraints, and the finished translator."""
