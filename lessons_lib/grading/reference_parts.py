"""The course's own parts, generated from `solutions/` by `make exercises`: for who has not written them yet.

It is read as text, cell by cell, and never imported: see `parts.py`.
"""


# %% lesson 01: scaled_dot_product_attention
import math
import torch


def scaled_dot_product_attention(query, key, value, mask=None):
    """softmax(QKᵀ / √d_head) V, and the weights.

    query (…, T, d_head), key (…, S, d_head), value (…, S, d_value);
    mask (…, T, S), True = may attend.
    Returns output (…, T, d_value) and weights (…, T, S).
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (…, T, S)
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        lowest = torch.finfo(
            scores.dtype
        ).min  # not -inf: a row of nothing but -inf gives NaN
        weights = scores.masked_fill(~mask, lowest).softmax(dim=-1)
        weights = weights.masked_fill(
            ~mask, 0.0
        )  # a row with no allowed key was uniform until here
    return weights @ value, weights  # (…, T, d_value), (…, T, S)


# %% lesson 01: previous_word_head
import math
import torch


def previous_word_head(length):
    """Queries and keys, (length, d_head) each: every word attends to the word before it."""
    key = torch.eye(
        length
    )  # (length, length): each position has a direction of its own
    before = (torch.arange(length) - 1).clamp(min=0)  # 0, 0, 1, 2, …
    strength = 20 * math.sqrt(
        length
    )  # attention divides by √d_head = √length: scores of 20 and 0 are left
    return strength * key[before], key


# %% lesson 02: Attention
import math
from torch import nn


class Attention(nn.Module):
    """One head of attention with its projections, within a sentence or between two."""

    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        """x (…, T, d_model), source (…, S, d_model) to query (…, T, ·), key and value."""
        source = x if source is None else source
        return self.query(x), self.key(source), self.value(source)

    def forward(self, x, source=None):
        """Returns output (…, T, d_value) and weights (…, T, S); without a source, S is T."""
        query, key, value = self.project(x, source)
        scores = (
            query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        )  # (…, T, S)
        weights = scores.softmax(dim=-1)
        return weights @ value, weights  # (…, T, d_value), (…, T, S)


# %% lesson 02: lookup_matrices
import math
import torch


def lookup_matrices(finds):
    """Query and key matrix, (n, d_head) each: word i of n attends to word finds[i]."""
    w_key = torch.eye(len(finds))  # (n, n): word i is filed under direction i
    strength = 20 * math.sqrt(
        len(finds)
    )  # attention divides by √d_head = √n: scores of 20 and 0 are left
    return strength * w_key[finds], w_key  # and word i asks for direction finds[i]


# %% lesson 03: split_heads
def split_heads(x, n_heads):
    """(B, T, d_model) to (B, H, T, d_head)."""
    each = x.unflatten(
        -1, (n_heads, -1)
    )  # (B, T, H, d_head): only the last axis is cut
    return each.transpose(1, 2)  # (B, H, T, d_head)


# %% lesson 03: merge_heads
def merge_heads(heads):
    """(B, H, T, d_head) to (B, T, d_model)."""
    return heads.transpose(1, 2).flatten(
        2
    )  # (B, T, H, d_head), then (B, T, d_model)


# %% lesson 03: MultiHeadAttention
import math
import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    """Attention in n_heads subspaces at once, then mixed, with four linear layers."""

    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value, self.output = (
            nn.Linear(d_model, d_model) for _ in range(4)
        )

    def forward(self, query, source=None, mask=None):
        """query (B, T, d_model), source (B, S, d_model), a mask that fits (B, H, T, S).

        Returns the output (B, T, d_model) and the weights (B, H, T, S).
        """
        source = query if source is None else source
        q = split_heads(self.query(query), self.n_heads)  # (B, H, T, d_head)
        k = split_heads(self.key(source), self.n_heads)  # (B, H, S, d_head)
        v = split_heads(self.value(source), self.n_heads)  # (B, H, S, d_head)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (B, H, T, S)
        if mask is None:
            weights = scores.softmax(dim=-1)
        else:
            weights = scores.masked_fill(
                ~mask, torch.finfo(scores.dtype).min
            ).softmax(dim=-1)
            weights = weights.masked_fill(
                ~mask, 0.0
            )  # a row with no allowed key was uniform until here
        return self.output(merge_heads(weights @ v)), weights


# %% lesson 04: sinusoidal_table
import torch


def sinusoidal_table(max_length, d_model):
    """The table (max_length, d_model): sines in the even columns, cosines in the odd ones."""
    speeds = 10_000 ** (
        -torch.arange(0, d_model, 2) / d_model
    )  # (D/2,): the range gives 2i
    angles = (
        torch.arange(max_length)[:, None] * speeds
    )  # (T, 1) * (D/2,) -> (T, D/2)
    table = torch.empty(max_length, d_model)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table


# %% lesson 04: rotate
import torch


def rotate(heads, start=0):
    """heads (…, T, d_head), each row turned by the angles of its position from start on."""
    length, d_head = heads.shape[-2:]
    speeds = 10_000 ** (
        -torch.arange(0, d_head, 2, dtype=heads.dtype, device=heads.device) / d_head
    )  # (d_head/2,)
    positions = start + torch.arange(length, dtype=heads.dtype, device=heads.device)
    angles = positions[:, None] * speeds  # (T, d_head/2)
    first, second = heads.chunk(2, dim=-1)  # (…, T, d_head/2) each
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat(
        [first * cosine - second * sine, second * cosine + first * sine], dim=-1
    )  # (…, T, d_head)


# %% lesson 04: relative_bias
import torch


def relative_bias(table, length, start=0):
    """Biases (H, length, start + length) from a table (H, 2 * max_distance + 1)."""
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length, device=table.device)
    queries = keys[start:]
    distance = keys - queries[:, None]  # (S,) - (T, 1) -> (T, S)
    columns = (
        distance.clamp(-max_distance, max_distance) + max_distance
    )  # 0 … 2 · max_distance
    return table[:, columns]  # (H, T, S)


# %% lesson 05: EncoderLayer
from torch import nn


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward network, each pre-norm and residual."""

    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention_norm = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward_norm = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff)

    def forward(self, x, mask=None):
        """x (B, S, D) and mask (…, S, S), True = may attend; gives (B, S, D)."""
        normed = self.attention_norm(x)
        x = (
            x + self.attention(normed, normed, mask)[0]
        )  # (B, S, D): each position has read the others
        return x + self.feed_forward(
            self.feed_forward_norm(x)
        )  # (B, S, D): and now thinks on its own


# %% lesson 05: DecoderLayer
from torch import nn


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention, feed-forward; each pre-norm and residual."""

    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention_norm = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention_norm = LayerNorm(d_model)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward_norm = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff)

    def forward(self, x, memory, mask=None, memory_mask=None):
        """x (B, T, D), memory (B, S, D), masks (…, T, T), (…, T, S); gives (B, T, D)."""
        normed = self.attention_norm(x)
        x = (
            x + self.attention(normed, normed, mask)[0]
        )  # (B, T, D): French looks at French
        x = (
            x
            + self.cross_attention(
                self.cross_attention_norm(x), memory, memory_mask
            )[0]
        )  # and at English
        return x + self.feed_forward(self.feed_forward_norm(x))


# %% lesson 05: EncoderDecoder
import math
from torch import nn
PAD = 0


class EncoderDecoder(nn.Module):
    """From token ids to logits, with one embedding for source, target and output."""

    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.d_model = d_model
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.encoder_layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.encoder_norm = LayerNorm(d_model)
        self.decoder_layers = nn.ModuleList(
            DecoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.decoder_norm = LayerNorm(d_model)

    def embed(self, tokens):
        """Token ids (B, T) to vectors (B, T, D) that know their token and their place."""
        places = sinusoidal_table(tokens.shape[1], self.d_model).to(
            tokens.device
        )  # (T, D)
        return self.embedding(tokens) * math.sqrt(self.d_model) + places

    def encode(self, src):
        """Token ids (B, S) to the memory (B, S, D)."""
        x, mask = self.embed(src), padding_mask(src, PAD)
        for layer in self.encoder_layers:
            x = layer(x, mask)
        return self.encoder_norm(x)

    def decode(self, tgt, memory, memory_mask):
        """Ids (B, T), memory (B, S, D), memory_mask (B, 1, 1, S) to logits (B, T, V)."""
        x, mask = self.embed(tgt), causal_mask(tgt.shape[1]).to(tgt.device)
        for layer in self.decoder_layers:
            x = layer(x, memory, mask, memory_mask)
        return self.decoder_norm(x) @ self.embedding.weight.T  # (B, T, D) @ (D, V)

    def forward(self, src, tgt):
        """Source (B, S), target so far (B, T) to the logits (B, T, V) of what is next."""
        return self.decode(tgt, self.encode(src), padding_mask(src, PAD))


# %% lesson 06: LayerNorm
import torch
from torch import nn


class LayerNorm(nn.Module):
    """γ · (x − mean) / √(variance + ε) + β over the last axis, with learned γ and β."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.beta = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x):
        """x (…, d_model) to the same shape."""
        mean = x.mean(dim=-1, keepdim=True)  # (…, 1)
        variance = x.var(
            dim=-1, keepdim=True, correction=0
        )  # (…, 1); 0: divide by d_model, not d_model − 1
        return self.gamma * (x - mean) / torch.sqrt(variance + self.eps) + self.beta


# %% lesson 06: RMSNorm
import torch
from torch import nn


class RMSNorm(nn.Module):
    """γ · x / √(mean of x² + ε) over the last axis, with a learned γ."""

    def __init__(self, d_model, eps=1e-6):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x):
        """x (…, d_model) to the same shape and dtype."""
        wide = (
            x.float() if x.dtype == torch.float16 else x
        )  # 300² is infinite in float16
        mean_square = wide.square().mean(dim=-1, keepdim=True)  # (…, 1)
        return (self.gamma * wide / torch.sqrt(mean_square + self.eps)).to(x.dtype)


# %% lesson 06: Residual
from torch import nn


class Residual(nn.Module):
    """Add & norm around one sub-layer."""

    def __init__(self, d_model, place="pre"):
        super().__init__()
        self.norm = LayerNorm(d_model)
        self.place = place

    def forward(self, x, sublayer):
        """x (…, d_model) and a function that keeps its shape, to the same shape."""
        if self.place == "pre":
            return x + sublayer(self.norm(x))
        return self.norm(x + sublayer(x))


# %% lesson 07: FeedForward
import torch.nn.functional as F
from torch import nn


class FeedForward(nn.Module):
    """The feed-forward network: the same two-layer network at every position, alone.

    activation: "relu", "gelu", or "swiglu": a third matrix, two thirds of the hidden width.
    """

    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        gated = activation == "swiglu"
        width = (
            2 * d_ff // 3 if gated else d_ff
        )  # 3 · (2/3) = 2: as many numbers as two matrices of the full width
        self.function = {"relu": F.relu, "gelu": F.gelu, "swiglu": F.silu}[
            activation
        ]
        self.expand = nn.Linear(d_model, width)
        self.gate = nn.Linear(d_model, width) if gated else None
        self.contract = nn.Linear(width, d_model)

    def forward(self, x):
        """x (…, d_model) to (…, d_model)."""
        hidden = self.function(self.expand(x))  # (…, width)
        if self.gate is not None:
            hidden = hidden * self.gate(x)  # Llama's up_proj: no activation
        return self.contract(hidden)


# %% lesson 07: read_memory
import torch


def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    """The neurons that fire, the strongest first; what each adds; and their output."""
    sums = (
        expand_weight @ token + expand_bias
    )  # (d_ff,): how well the token agrees with each key
    order = torch.argsort(sums, descending=True)
    fired = order[sums[order] > 0]  # (n,)
    added = sums[fired, None] * contract_weight.T[fired]  # (n, 1) · (n, d_model)
    return fired, added, added.sum(dim=0) + contract_bias


# %% lesson 08: causal_mask
import torch


def causal_mask(length):
    """Boolean (length, length): True where position t may attend, up to t itself."""
    position = torch.arange(length)
    return position[None, :] <= position[:, None]  # column s, row t: s ≤ t


# %% lesson 08: padding_mask
def padding_mask(tokens, pad_id):
    """Boolean (B, 1, 1, S): True where a token of tokens (B, S) is not the padding."""
    return (tokens != pad_id)[:, None, None, :]  # (B, S) -> (B, 1, 1, S)


# %% lesson 08: next_token_loss
import torch
import torch.nn.functional as F


def next_token_loss(tokens, predict, bos_id, pad_id):
    """What the decoder reads, what it must say, its mean error over the real tokens."""
    tgt_out = tokens
    start = torch.full_like(tokens[:, :1], bos_id)
    tgt_in = torch.cat(
        [start, tokens[:, :-1]], dim=1
    )  # (B, 1) and (B, T − 1) -> (B, T)
    logits = predict(tgt_in)  # (B, T, V)
    real = tgt_out != pad_id
    loss = F.cross_entropy(
        logits[real], tgt_out[real]
    )  # (N, V) and (N,): only the places that are asked
    return tgt_in, tgt_out, loss


# %% lesson 09: EncoderOnly
import math
from torch import nn
PAD = 0


class EncoderOnly(nn.Module):
    """Every place sees all real tokens, on both sides, and says which word fits there."""

    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.norm = LayerNorm(d_model)

    def forward(self, tokens):
        """Token ids (B, S) to logits (B, S, V)."""
        d_model = self.embedding.embedding_dim
        places = sinusoidal_table(tokens.shape[1], d_model).to(
            tokens.device
        )  # (S, D)
        x, mask = (
            self.embedding(tokens) * math.sqrt(d_model) + places,
            padding_mask(tokens, PAD),
        )
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x) @ self.embedding.weight.T  # (B, S, D) @ (D, V)


# %% lesson 09: DecoderOnly
import math
import torch
from torch import nn


class DecoderOnly(nn.Module):
    """Every place sees itself and what came before, and says what comes next."""

    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.norm = LayerNorm(d_model)

    def forward(self, tokens):
        """Token ids (B, T) to the logits (B, T, V) of what follows each of them."""
        length, d_model = tokens.shape[1], self.embedding.embedding_dim
        places, mask = (
            x.to(tokens.device)
            for x in (sinusoidal_table(length, d_model), causal_mask(length))
        )
        x = self.embedding(tokens) * math.sqrt(d_model) + places
        for layer in self.layers:
            x = layer(
                x, mask
            )  # the layer of an encoder; the mask alone makes a decoder of it
        return self.norm(x) @ self.embedding.weight.T  # (B, T, D) @ (D, V)

    def generate(self, tokens, n_tokens):
        """Beginnings (B, T) to beginnings with n_tokens more, (B, T + n_tokens)."""
        for _ in range(n_tokens):
            following = self(tokens)[:, -1].argmax(
                dim=-1, keepdim=True
            )  # (B, 1), from the last place alone
            tokens = torch.cat([tokens, following], dim=1)
        return tokens


# %% lesson 09: mask_tokens
import torch
MASK = 3


def mask_tokens(tokens, chosen, draw, random_tokens):
    """What the model reads (B, S): of ten chosen, eight MASK, one random, one itself."""
    blank, noise = chosen & (draw < 0.8), chosen & (draw >= 0.8) & (draw < 0.9)
    return torch.where(noise, random_tokens, tokens.masked_fill(blank, MASK))


# %% lesson 09: masked_loss
import torch.nn.functional as F


def masked_loss(logits, tokens, chosen):
    """The mean cross-entropy over the chosen places; 0 if there are none."""
    losses = F.cross_entropy(
        logits[chosen], tokens[chosen], reduction="sum"
    )  # (N, V) and (N,)
    return losses / chosen.sum().clamp(min=1)


# %% lesson 10: count_parameters
def count_parameters(
    vocab_size,
    d_model,
    d_ff,
    n_encoder_layers,
    n_decoder_layers,
    n_positions=0,
    tied=True,
    bias=True,
):
    """The numbers that the model learns."""
    attention = 4 * d_model * d_model + bias * 4 * d_model
    feed_forward = 2 * d_model * d_ff + bias * (d_ff + d_model)
    norm = 2 * d_model
    encoder_layer = attention + feed_forward + 2 * norm
    decoder_layer = encoder_layer
    if n_encoder_layers > 0:
        decoder_layer += (
            attention + norm
        )  # the second attention, with the norm before it
    stacks = (n_encoder_layers > 0) + (n_decoder_layers > 0)
    total = vocab_size * d_model + stacks * (n_positions * d_model + norm)
    total += n_encoder_layers * encoder_layer + n_decoder_layers * decoder_layer
    if n_decoder_layers > 0 and not tied:
        total += vocab_size * d_model
    return total


# %% lesson 10: cache_bytes
def cache_bytes(
    d_model,
    n_heads,
    n_layers,
    batch,
    length,
    n_kv_heads=None,
    source_length=0,
    bytes_a_number=2,
):
    """Bytes of the keys and values of a decoder's layers."""
    width = (n_kv_heads or n_heads) * (
        d_model // n_heads
    )  # of all keys of one token, and of all its values
    return 2 * n_layers * batch * (length + source_length) * width * bytes_a_number


# %% lesson 10: largest_batch
def largest_batch(
    memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False
):
    """How many sequences fit beside the model."""
    a_parameter = weight_bytes
    if training:
        a_parameter += weight_bytes + 4 + 4  # the gradient, and AdamW's two states
        if weight_bytes < 4:
            a_parameter += 4  # the copy
    free = memory_gib * 2**30 - a_parameter * n_parameters
    return max(0, free // bytes_a_sequence)


# %% lesson 11: attend_with_cache
import torch


def attend_with_cache(query, key, value, past):
    """What T new tokens take home, (B, H, T, d_head), and keys and values of all tokens so far."""
    if past is not None:
        key, value = (
            torch.cat([old, new], dim=2)
            for old, new in zip(past, (key, value), strict=True)
        )
    new, n = query.shape[2], key.shape[2]
    mask = torch.ones(new, n, dtype=torch.bool, device=query.device).tril(
        n - new
    )  # (T, n): row t sees n - T + t + 1
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)


# %% lesson 11: generate
import torch


def generate(step, prompt, n_tokens):
    """The prompt (B, P) and the n most probable tokens behind it, (B, P + n)."""
    text, new, start, past = prompt, prompt, 0, None
    for _ in range(n_tokens):
        logits, past = step(new, start, past)  # (B, T, V)
        start += new.shape[1]
        new = logits[:, -1].argmax(
            dim=-1, keepdim=True
        )  # (B, 1): from now on one token is new
        text = torch.cat([text, new], dim=1)
    return text


# %% lesson 11: attention_over_blocks
import math
import torch


def attention_over_blocks(query, blocks):
    """softmax(QKᵀ / √d_head) V over the keys and values of all blocks together, (H, T, d_value)."""
    largest, total, output = -torch.inf, 0.0, 0.0
    for keys, values in blocks:
        scores = (
            query @ keys.transpose(-2, -1) / math.sqrt(query.shape[-1])
        )  # (H, T, n)
        larger = scores.amax(dim=-1, keepdim=True).clamp(min=largest)  # (H, T, 1)
        weights, shrink = (scores - larger).exp(), (largest - larger).exp()
        total = shrink * total + weights.sum(dim=-1, keepdim=True)  # (H, T, 1)
        output = shrink * output + weights @ values  # (H, T, d_value)
        largest = larger
    return output / total


# %% lesson 12: greedy
def greedy(next_log_probabilities, eos_id, max_length):
    """The most probable token again and again: the token ids, and their log-probability."""
    tokens, log_probability = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens)  # (V,)
        best = logs.argmax().item()  # the first of equals
        tokens.append(best)
        log_probability += logs[best].item()
        if best == eos_id:
            break
    return tokens, log_probability


# %% lesson 12: beam_search
def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    """The best finished translation of ``beam`` beams: its tokens, their log-probability."""

    def score(hypothesis):
        tokens, log_probability = hypothesis
        return log_probability / ((5 + len(tokens)) / 6) ** length_penalty

    beginnings, finished = [([], 0.0)], []
    for length in range(1, max_length + 1):
        candidates = [
            ([*tokens, token], total + log)
            for tokens, total in beginnings
            for token, log in enumerate(next_log_probabilities(tokens).tolist())
        ]
        candidates.sort(
            key=lambda candidate: -candidate[1]
        )  # stable: equals stay in their order
        for tokens, total in candidates[:beam]:
            if tokens[-1] == eos_id or length == max_length:
                finished.append((tokens, total))
        beginnings = [
            candidate for candidate in candidates if candidate[0][-1] != eos_id
        ][:beam]
        if len(finished) >= beam and score(beginnings[0]) <= max(
            map(score, finished)
        ):
            break
    return max(finished, key=score)


# %% lesson 12: training_step
import torch
import torch.nn.functional as F
from torch import nn


def training_step(
    model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing
):
    """Forward, loss, backward, clip, update: the loss of this batch before the update."""
    model.train()
    start = torch.full_like(tgt[:, :1], bos_id)
    tgt_in = torch.cat([start, tgt[:, :-1]], dim=1)  # (B, T)
    logits = model(src, tgt_in)  # (B, T, V)
    real = tgt != pad_id
    loss = F.cross_entropy(logits[real], tgt[real], label_smoothing=label_smoothing)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()
    return loss.detach()


# %% lesson 13: bleu
import math
from collections import Counter


def bleu(translations, references):
    """Corpus BLEU, 0 to 100."""
    matched, total, c, length = [0] * 4, [0] * 4, 0, 0
    for translation, reference in zip(translations, references, strict=True):
        c += len(translation)
        length += len(reference)
        for n in range(1, 5):
            mine, theirs = (
                Counter(
                    tuple(sentence[i : i + n]) for i in range(len(sentence) - n + 1)
                )
                for sentence in (translation, reference)
            )
            matched[n - 1] += (
                mine & theirs
            ).total()  # & takes the smaller count: clipping
            total[n - 1] += mine.total()
    if 0 in matched:
        return 0.0
    penalty = 1.0 if c >= length else math.exp(1 - length / c)
    return (
        100
        * penalty
        * math.prod(m / t for m, t in zip(matched, total, strict=True)) ** (1 / 4)
    )


# %% lesson 13: links
import numpy as np


def links(weights):
    """The set of (English word, French word) that attention claims."""
    between_words = weights.mean(axis=0)[
        :-1, :-1
    ]  # without the step that writes </s>, and without looks at </s>
    return {(int(np.argmax(row)), t) for t, row in enumerate(between_words)}


# %% lesson 13: alignment_error_rate
def alignment_error_rate(found, sure, possible):
    """0 is perfect, 1 is no link right."""
    right = sum(
        len(a & s) + len(a & p)
        for a, s, p in zip(found, sure, possible, strict=True)
    )
    return 1 - right / (sum(map(len, found)) + sum(map(len, sure)))


# %% lesson 13: capstone
import time
from collections import Counter
from lessons_lib.translation.bleu import words
from lessons_lib.translation.capstone import decoder_steps
from lessons_lib.translation.diagnosis.categories import Example
from lessons_lib.translation.diagnosis.categories import tags
from lessons_lib.translation.pharaoh import gold_of
from lessons_lib.translation.scoring import compare


def capstone(translator, pairs):
    """The report on the translator, as a dictionary."""
    sources, references = (
        [pair.source for pair in pairs],
        [pair.target for pair in pairs],
    )
    report = {}
    for name, beam in (("greedy", 1), ("beam", 4)):
        begin = time.perf_counter()
        report[name] = [
            found.text
            for found in translator.translate(sources, beam=beam, attention=False)
        ]
        report[f"seconds_{name}"] = time.perf_counter() - begin
        report[f"bleu_{name}"] = bleu(
            [words(text) for text in report[name]],
            [words(text) for text in references],
        )
    report["p"] = compare(report["greedy"], report["beam"], references).p
    gold = gold_of(pairs)
    found = [links(weights) for weights in decoder_steps(translator, pairs)]
    report["aer"] = alignment_error_rate(
        found, [g.sure for g in gold], [g.possible for g in gold]
    )
    examples = [
        Example(pair.source, text, pair.target)
        for pair, text in zip(pairs, report["greedy"], strict=True)
    ]
    report["failures"] = dict(
        Counter(tag for example in examples for tag in tags(example))
    )
    return report
