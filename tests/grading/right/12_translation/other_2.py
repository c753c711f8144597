"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    def norm(n, lp):
        return lp / ((5 + n) / 6) ** length_penalty
    alive = [([], 0.0)]
    done = []
    for step in range(max_length):
        cand = []
        for seq, lp in alive:
            logp = next_log_probabilities(seq)
            for tok in range(len(logp)):
                cand.append((seq + [tok], lp + float(logp[tok])))
        cand = sorted(cand, key=lambda c: c[1], reverse=True)
        for seq, lp in cand[:beam]:
            if seq[-1] == eos_id or len(seq) == max_length:
                done.append((seq, lp))
        alive = [c for c in cand if c[0][-1] != eos_id][:beam]
        if len(done) >= beam:
            best = max(norm(len(s), p) for s, p in done)
            if norm(len(alive[0][0]), alive[0][1]) <= best:
                break
    return max(done, key=lambda c: norm(len(c[0]), c[1]))
