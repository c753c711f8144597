"""The feed-forward widget computes what the library computes, and every reader can use it."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lessons_lib.feedforward import FeedForward
from lessons_lib.widgets import FeedForwardWidget
from lessons_lib.widgets.feed_forward import ACTIVATIONS

WORDS = "la petite maison".split()
FUNCTIONS = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu, "none": lambda h: h}


def arrays(words=WORDS, d_model=6, d_ff=8, seed=0):
    """Inputs, outputs and the weights of a random ReLU network, rounded as the widget rounds them."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {
        "inputs": (len(words), d_model),
        "keys": (d_ff, d_model),
        "biases": (d_ff,),
        "values": (d_ff, d_model),
        "output_bias": (d_model,),
    }
    made = {name: torch.randn(shape, generator=generator).round(decimals=4) for name, shape in shapes.items()}
    hidden = F.relu(made["inputs"] @ made["keys"].T + made["biases"])
    return made | {"outputs": (hidden @ made["values"] + made["output_bias"]).round(decimals=4)}


def widget(words=WORDS, d_model=6, d_ff=8, seed=0, **options) -> FeedForwardWidget:
    return FeedForwardWidget(words, **arrays(words, d_model, d_ff, seed), **options)


def expected(selected=0, activation="relu", width=8, **which):
    """Of the neurons that add most, in order: number, sum, activation and length of what it adds; and both outputs."""
    made = arrays(**which)
    sums = made["keys"] @ made["inputs"][selected] + made["biases"]
    active = FUNCTIONS[activation](sums)
    added = active[:, None] * made["values"]
    lengths = added.norm(dim=1)
    order = sorted(range(len(sums)), key=lambda i: (-lengths[i], i))[:width]
    output = added[order].sum(0) + made["output_bias"]
    return order, sums[order], active[order], lengths[order], output, made["outputs"][selected]


def column(page, number: int) -> list[float]:
    cells = page.locator(f"tbody tr > :nth-child({number}) span").all_text_contents()
    return [float(text.replace("−", "-")) for text in cells]


def percent(page) -> int:
    return int(re.search(r"is (\d+) % of its length", page.locator("[aria-live]").text_content())[1])


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_arithmetic_equals_the_library_and_pytorch_on_100_random_inputs(show):
    random = np.random.default_rng(0)
    cases = []
    for _ in range(100):
        d_model, d_ff = (int(random.integers(1, top)) for top in (33, 41))
        shapes = ((d_model,), (d_ff, d_model), (d_ff,), (d_ff, d_model), (d_model,))
        cases.append(([random.normal(0, 1.5, shape) for shape in shapes], str(random.choice(list(FUNCTIONS)))))
    ours = show(widget()).evaluate(
        """(cases) => cases.map(([[input, keys, biases, values, bias], activation]) => {
          const neurons = keys.map((key, i) => ({ key, bias: biases[i], value: values[i] }));
          const states = module.hidden(input, neurons, activation);
          return [states.map((state) => state.active), module.output(states, bias)];
        })""",
        [([array.tolist() for array in arrays], activation) for arrays, activation in cases],
    )
    for (drawn, activation), (active, output) in zip(cases, ours, strict=True):
        x, keys, biases, values, bias = (torch.tensor(array) for array in drawn)
        network = FeedForward(len(x), len(keys), "relu" if activation == "none" else activation).double()
        network.load_state_dict(
            {"expand.weight": keys, "expand.bias": biases, "contract.weight": values.T, "contract.bias": bias}
        )
        if activation == "none":
            network.activation = FUNCTIONS["none"]
        right = FUNCTIONS[activation](F.linear(x, keys, biases))
        torch.testing.assert_close(torch.tensor(active, dtype=torch.double), right, rtol=0, atol=1e-5)
        torch.testing.assert_close(torch.tensor(output, dtype=torch.double), network(x).detach(), rtol=0, atol=1e-5)


def test_activations_are_pytorchs_far_out_too(show):
    h = torch.linspace(-30, 30, 601, dtype=torch.double)
    page = show(widget())
    radios = page.get_by_role("group", name="Activation").get_by_role("radio")
    offered = radios.evaluate_all("(inputs) => inputs.map((input) => input.value)")
    assert sorted(ACTIVATIONS) == sorted(FUNCTIONS) == sorted(offered)
    for name, function in FUNCTIONS.items():
        ours = page.evaluate("([name, h]) => h.map((number) => module.activate(name, number))", [name, h.tolist()])
        torch.testing.assert_close(torch.tensor(ours, dtype=torch.double), function(h), rtol=0, atol=1e-9)


def test_distance_is_a_share_of_the_right_length(show):
    page = show(widget())
    assert page.evaluate("module.distance([1, 2], [1, 2])") == 0
    assert page.evaluate("module.distance([0, 0], [3, 4])") == 1
    assert page.evaluate("module.distance([3, 0], [3, 4])") == pytest.approx(0.8)


# --- what one sees and does ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_token_and_activation_change_the_numbers(show, activation):
    page = show(widget())
    page.locator("button[data-token='2']").click()
    page.locator(f"input[value={activation}]").check(force=True)
    order, sums, active, lengths, output, right = expected(2, activation)
    assert column(page, 1) == order
    assert column(page, 2) == pytest.approx(sums.tolist(), abs=0.00501)
    assert column(page, 3) == pytest.approx(active.tolist(), abs=0.00501)
    assert column(page, 4) == pytest.approx(lengths.tolist(), abs=0.00501)
    assert percent(page) == pytest.approx(100 * ((output - right).norm() / right.norm()).item(), abs=0.51)
    assert page.locator("tr.ff-silent").count() == int((active == 0).sum())
    assert page.locator("[aria-pressed=true]").text_content() == "maison"


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_fewer_neurons_give_another_output(show, width):
    page = show(widget())
    page.locator(f".ff-widths input[value='{width}']").check(force=True)
    order, *_, output, right = expected(0, width=width)
    assert column(page, 1) == order
    assert percent(page) == pytest.approx(100 * ((output - right).norm() / right.norm()).item(), abs=0.51)
    used = "all 8 neurons" if width == 8 else f"{width} of 8 neurons"
    assert f"The output of {used} is" in page.locator("[aria-live]").text_content()


def test_the_strips_are_drawn_from_the_two_outputs(show):
    page = show(widget(width=3))
    *_, output, right = expected(0, width=3)
    top = max(output.abs().max(), right.abs().max())
    for name, numbers in (("ff-part", output), ("ff-whole", right)):
        ends = re.findall(r"V(-?[\d.]+)", page.locator(f".{name}").get_attribute("d"))
        assert [float(end) for end in ends] == pytest.approx((1 - numbers / top).tolist(), abs=2e-4)
        assert min(map(float, ends)) >= 0
        assert max(map(float, ends)) <= 2


def test_the_summary_names_the_strongest_neuron_and_what_it_pushes_towards(show):
    notes = [f"word{i}" for i in range(8)]
    page = show(widget(names=[f"n{i}" for i in range(8)], notes=notes, contexts=["x la y", "petite", "maison"]))
    (best, *_), _, active, *_ = expected()
    text = page.locator("[aria-live=polite]").text_content()
    assert text.startswith(f"For 'la', {int((active > 0).sum())} of the 8 neurons at work fire.")
    assert f"Neuron n{best} adds most; its value pushes towards word{best}." in text
    assert page.locator(".ff-context").text_content() == "x la y"
    assert page.locator("td.ff-note").first.text_content() == f"word{best}"
    page.locator("button[data-token='1']").click()
    assert not page.locator(".ff-context").is_visible()


def test_another_activation_than_the_trained_one_is_said(show):
    page = show(widget())
    assert "in place of" not in page.locator("[aria-live]").text_content()
    page.locator("input[value=gelu]").check(force=True)
    assert "with GELU in place of ReLU is" in page.locator("[aria-live]").text_content()
    page.locator("input[value=none]").check(force=True)
    assert "of all 8 neurons without activation is" in page.locator("[aria-live]").text_content()


def test_one_neuron_alone_is_said_in_the_singular(show):
    page = show(FeedForwardWidget(["a", "b"], [[1.0], [-1.0]], [[1.0], [1.0]], [[2.0]], [0.0], [[1.0]], [0.0]))
    assert page.locator("[aria-live]").text_content().startswith("For 'a', the one neuron at work fires. Neuron 0 adds")
    page.locator("button[data-token='1']").click()
    assert page.locator("[aria-live]").text_content() == (
        "For 'b', the one neuron at work does not fire. "
        "The output of all 1 neuron is 100 % of its length away from that of the trained network."
    )


def test_python_redraws_by_changing_a_trait(show):
    page = show(widget())
    page.evaluate("models[0].set('selected', 1)")
    assert page.locator("[aria-pressed=true]").text_content() == "petite"
    page.evaluate("models[0].set('width', 2)")
    assert page.locator("tbody tr").count() == 2
    page.evaluate("models[0].set('neurons', models[0].get('neurons').slice(0, 5))")
    assert page.locator(".ff-widths input").evaluate_all("all => all.map((one) => one.value)") == ["1", "2", "3", "5"]


# --- keyboard, screen reader -----------------------------------------------------------------------------------------


def test_keyboard_alone_is_enough(show):
    page = show(widget())
    page.keyboard.press("Tab")
    token = "document.activeElement.dataset.token ?? null"
    assert page.evaluate(token) == "0"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator("[aria-pressed=true]").text_content() == "petite"
    assert page.evaluate(token) == "1"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("models[0].get('activation')") == "gelu"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("models[0].get('width')") == 4
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_screen_reader_finds_names_headers_and_one_pressed_token(show):
    page = show(widget(notes=["a"] * 8))
    assert page.get_by_role("button", name="petite", exact=True).count() == 1
    assert page.get_by_role("button", pressed=True).count() == 1
    headers = ["neuron", "x · key + b", "ReLU", "length added", "pushes towards"]
    assert page.get_by_role("columnheader").all_text_contents() == headers
    assert page.get_by_role("rowheader").count() == 8
    assert page.get_by_role("radio", name="ReLU").is_checked()
    assert set(page.locator("svg").evaluate_all("all => all.map((one) => one.ariaHidden)")) == {"true"}


def test_what_scrolls_can_be_reached_with_the_keyboard(show):
    long = show(widget(d_ff=40)).locator(".cw-scroll").first
    assert long.evaluate("node => [node.scrollHeight > node.clientHeight, node.tabIndex]") == [True, 0]


# --- a guest on any page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_words", [1, 8, 40])
def test_a_360_px_screen_shows_everything_without_scrolling_sideways(show, n_words):
    words = (["la", "maison", "n'", "ont", "anticonstitutionnellement"] * 8)[:n_words]
    notes = ["ont, avons, anticonstitutionnellement"] * 24
    page = show(widget(words, d_model=128, d_ff=24, notes=notes, names=[250 + i for i in range(24)]), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    right = page.locator("button[data-token], td:visible, label:visible, svg").evaluate_all(
        "all => Math.max(...all.map((node) => node.getBoundingClientRect().right))"
    )
    assert right <= 360


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    expected_text = "FeedForwardWidget: 'la petite maison' (run this cell to choose a word)"
    assert repr(widget()) == repr(widget(seed=1)) == expected_text


@pytest.mark.parametrize("kind", [torch.Tensor.tolist, torch.Tensor.numpy, lambda t: t.bfloat16().requires_grad_()])
def test_tensors_arrays_and_lists_are_taken(kind):
    made = {name: kind((array * 4).round() / 4) for name, array in arrays().items()}
    shown = FeedForwardWidget(WORDS, **made)
    assert type(shown.neurons[0]["bias"]) is float
    assert len(shown.neurons) == shown.total == shown.width == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": "la petite"}, "words='la petite' is one text; give a list of words"),
        ({"words": ["a"] * 41}, "words has 41 words; give 1 to 40"),
        ({"inputs": [[1.0, 2.0]]}, "inputs has 1 rows but there are 3 words; give one row for each"),
        ({"inputs": [[1.0]] * 3}, "outputs has 6 columns but inputs has 1; give d_model for both"),
        ({"inputs": [[float("nan")] * 6] * 3}, "inputs[0][0] is nan; every number must be finite"),
        ({"keys": []}, "keys has 0 rows; give 1 to 40, those of the strongest neurons"),
        ({"keys": [[1.0] * 6] * 41}, "keys has 41 rows; give 1 to 40"),
        ({"keys": [[1.0] * 5] * 8}, "keys has 5 columns but inputs has 6"),
        ({"values": [[1.0] * 6] * 7}, "values has 7 rows but there are 8 neurons"),
        ({"biases": [1.0] * 7}, "biases has 7 rows but there are 8 neurons"),
        ({"output_bias": [1.0] * 7}, "output_bias has 7 rows but there are 6 columns"),
        ({"names": ["a"]}, "names has 1 texts but there are 8 neurons; give one for each"),
        ({"notes": ["a"]}, "notes has 1 texts but there are 8 neurons"),
        ({"contexts": ["a"]}, "contexts has 1 texts but there are 3 words"),
        ({"total": 7}, "total=7 but there are 8 neurons; it counts those of the whole network"),
        ({"selected": 3}, "selected=3 but there are 3 tokens; use 0 to 2"),
        ({"activation": "tanh"}, "activation='tanh' is not one of 'relu', 'gelu', 'silu', 'none'"),
        ({"trained": "x"}, "trained='x' is not one of 'relu'"),
        ({"width": 9}, "width=9 but there are 8 neurons; use 1 to 8"),
    ],
)
def test_bad_input_is_refused_with_the_value_and_the_fix(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        FeedForwardWidget(**{"words": WORDS, **arrays(), **change})


def test_later_changes_are_checked_too():
    shown = widget()
    for trait, value, message in (
        ("selected", 3, "selected=3 but there are 3 tokens"),
        ("width", 0, "width=0 but there are 8 neurons; use 1 to 8"),
        ("activation", "x", "activation='x' is not one of"),
        ("tokens", [], "tokens is empty"),
        ("neurons", [], "neurons is empty"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            setattr(shown, trait, value)
    shown.selected, shown.width = 2, 1
    assert (shown.selected, shown.width) == (2, 1)
