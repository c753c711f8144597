"""How BERT and GPT-2 begin: small normal numbers, whatever the width of the matrix."""

from torch import nn


def normal_init(model: nn.Module, std: float = 0.02) -> None:
    """Matrices and embeddings normal with deviation ``std``, biases zero (Devlin et al. 2019; Radford et al. 2019).

    BERT's code draws again what falls beyond two deviations, so its numbers deviate by 12 % less; that is left out.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=std)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


def shrink_residual_init(layers: nn.ModuleList, std: float = 0.02) -> None:
    """What each sub-layer adds to the residual path, smaller by √(2·layers) (Radford et al. 2019, section 2.3).

    The path sums 2·layers of them; so its variance does not grow with the depth.
    """
    for layer in layers:
        for matrix in (layer.attention.output, layer.feed_forward.contract):
            nn.init.normal_(matrix.weight, std=std / (2 * len(layers)) ** 0.5)
