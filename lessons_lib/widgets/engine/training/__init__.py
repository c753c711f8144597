"""A small Transformer with its gradients, in the page: a file a concept, each a forward and a backward by hand."""

# The files of a worker that trains, those first that others build on; see `lessons_lib.widgets._common.engine_text`.
TRAINING = (
    *("arena", "plain", "kernels", "training/loops.wasm"),
    *(
        f"training/{name}"
        for name in (
            *("random", "parameters", "linear", "norm", "dropout", "activations", "scaled_dot_product", "loops"),
            *(
                "positions",
                "attention",
                "embedding",
                "feed_forward",
                "residual",
                "packed",
                "blocks",
                "loss",
                "transformer",
            ),
            *("optimizers", "settings", "config", "tasks", "generation", "training", "safetensors", "worker"),
        )
    ),
)
