"""The compiler: what can't be run is refused by name and layer; what can is always the same."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from bluering.models.compiled import describe, parse_compiled
from bluering.models.compiler import compile_model
from bluering.models.errors import ModelError
from bluering.models.tflite_reader import Operator, SourceModel, Tensor, parse_tflite
from ear.spotter import format as layout
from tests.peers import every_model, peer

MODELS = every_model()
ALEXA = parse_tflite(peer("alexa").with_suffix(".tflite").read_bytes())
MAIN = ALEXA.subgraphs[0]
FIRST_CONV, FIRST_DEPTHWISE, POINTWISE, DENSE, LOGISTIC = 14, 19, 20, 42, 43


def with_operator(index: int, change: Callable[[Operator], Operator]) -> SourceModel:
    operators = list(MAIN.operators)
    operators[index] = change(operators[index])
    return with_main(operators=tuple(operators))


def with_options(index: int, **options: object) -> SourceModel:
    return with_operator(index, lambda o: replace(o, options={**o.options, **options}))


def with_tensor(number: int, change: Callable[[Tensor], Tensor]) -> SourceModel:
    tensors = list(MAIN.tensors)
    tensors[number] = change(tensors[number])
    return with_main(tensors=tuple(tensors))


def with_main(**changes) -> SourceModel:
    return replace(ALEXA, subgraphs=(replace(MAIN, **changes), *ALEXA.subgraphs[1:]))


def input_of(index: int, number: int) -> int:
    tensor = MAIN.operators[index].inputs[number]
    assert tensor is not None
    return tensor


def rescaled(factor: float) -> Callable[[Tensor], Tensor]:
    def change(tensor: Tensor) -> Tensor:
        assert tensor.quantization is not None
        scales = (tensor.quantization.scales * factor).astype(np.float32)
        return replace(tensor, quantization=replace(tensor.quantization, scales=scales))

    return change


REFUSED = {
    "dilation": (
        with_options(FIRST_CONV, DilationHFactor=2),
        "layer 14: CONV_2D with dilation 2 is not supported",
    ),
    "padding": (
        with_options(FIRST_DEPTHWISE, Padding=0),
        "layer 19: DEPTHWISE_CONV_2D with padding SAME is not supported",
    ),
    "activation": (
        with_options(POINTWISE, FusedActivationFunction=4),
        "layer 20: CONV_2D with TANH is not supported",
    ),
    "stride": (with_options(FIRST_CONV, StrideH=0), "layer 14: CONV_2D with stride 0"),
    "operator": (
        with_operator(LOGISTIC, lambda o: replace(o, name="SOFTMAX")),
        "layer 43: SOFTMAX is not supported",
    ),
    "custom operator": (
        with_operator(POINTWISE, lambda o: replace(o, name="CUSTOM Mfcc")),
        "layer 20: CUSTOM Mfcc is not supported",
    ),
    "type of weights": (
        with_tensor(input_of(POINTWISE, 1), lambda t: replace(t, type="INT4")),
        "layer 20: CONV_2D has INT4 as its input 1; quantised INT8 is supported",
    ),
    "no constant weights": (
        with_tensor(input_of(DENSE, 1), lambda t: replace(t, data=None)),
        "layer 42: FULLY_CONNECTED",
    ),
    "wide bias": (
        with_tensor(input_of(POINTWISE, 2), lambda t: replace(t, type="INT64")),
        "layer 20: CONV_2D with a bias that isn't 64 INT32 constants",
    ),
    "overflow": (
        with_tensor(
            input_of(POINTWISE, 2),
            lambda t: replace(t, data=np.full(t.shape, 1 << 29, np.int32)),
        ),
        "layer 20: its sums can reach 53[0-9]{7}; less than 536870912 is supported",
    ),
    "left shift": (
        with_tensor(MAIN.operators[POINTWISE].outputs[0], rescaled(1e-3)),
        "layer 20: CONV_2D scales its sums by .*; less than 0.5 is supported",
    ),
    "float input": (
        with_tensor(MAIN.inputs[0], lambda t: replace(t, type="FLOAT32")),
        "the input is FLOAT32; INT8 is supported",
    ),
    "other features": (
        with_tensor(MAIN.inputs[0], lambda t: replace(t, shape=(1, 3, 32))),
        r"the input has the shape \[1, 3, 32\]; \[1, stride, 40\] is supported",
    ),
    "input scale": (
        with_tensor(MAIN.inputs[0], rescaled(0.5)),
        "the input has scale 0.0509804 and zero point -128; the front end's features have 0.10196",
    ),
    "int8 output": (
        with_tensor(MAIN.outputs[0], lambda t: replace(t, type="INT8")),
        "layer 44: QUANTIZE is supported from LOGISTIC to the UINT8 output only",
    ),
    "two-dimensional": (
        with_tensor(
            MAIN.operators[POINTWISE].outputs[0], lambda t: replace(t, shape=(1, 1, 2, 32))
        ),
        r"has the shape \[1, 1, 2, 32\]; \[1, time, 1, channels\] is supported",
    ),
    "axis": (with_options(16, Axis=2), "layer 16: CONCATENATION on axis 2 is not supported"),
    "disorder": (
        with_main(operators=MAIN.operators[::-1]),
        "layer 44: QUANTIZE uses a tensor before it is made",
    ),
}


@pytest.mark.parametrize(("model", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_run_is_refused_by_name(model: SourceModel, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        compile_model(model)


def test_a_state_must_be_initialised() -> None:
    rest = tuple(operator for operator in MAIN.operators if operator.name != "CALL_ONCE")
    with pytest.raises(ModelError, match=r"reads the state '.+', which is never initialised"):
        compile_model(with_main(operators=rest))


def test_a_state_must_keep_its_newest_rows() -> None:
    begin = input_of(12, 1)  # of the slice of the first state
    model = with_tensor(begin, lambda t: replace(t, data=np.array([0, 2, 0, 0], np.int32)))
    with pytest.raises(
        ModelError, match="layer 13: ASSIGN_VARIABLE doesn't keep the newest 2 rows"
    ):
        compile_model(model)


def test_a_state_must_take_in_new_rows() -> None:
    rest = MAIN.operators[:13] + MAIN.operators[14:]
    with pytest.raises(ModelError, match=r"the state '.+' never takes in new rows"):
        compile_model(with_main(operators=rest))


def test_a_state_must_not_be_read_after_it_has_changed() -> None:
    spare = len(MAIN.tensors)
    again = replace(MAIN.operators[10], index=99, outputs=(spare,))
    tensors = (*MAIN.tensors, MAIN.tensors[MAIN.operators[10].outputs[0]])
    model = with_main(operators=(*MAIN.operators, again), tensors=tensors)
    with pytest.raises(ModelError, match=r"layer 99: READ_VARIABLE reads the state .* changed"):
        compile_model(model)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_source_gives_the_same_bytes(name: str) -> None:
    source = MODELS[name].source.read_bytes()
    assert compile_model(parse_tflite(source)) == compile_model(parse_tflite(source))


def test_the_facts_of_a_model_are_told() -> None:
    facts = describe(parse_compiled(compile_model(ALEXA)))
    assert facts["source_sha256"] == ALEXA.sha256.hex()
    assert facts["stride"] == 3
    assert facts["state_bytes"] == [2 * 40, 4 * 32, 8 * 64, 12 * 64, 20 * 64, 4 * 64]
    kinds = [layer["kind"] for layer in facts["layers"]]
    assert kinds == ["conv", *["depthwise", "conv"] * 4, "conv"]
    assert facts["layers"][0]["operator"] == FIRST_CONV
    assert facts["multiply_accumulates"] == sum(
        layer["multiply_accumulates"] for layer in facts["layers"]
    )


@pytest.mark.parametrize("name", MODELS)
def test_sections_lie_within_the_file_and_are_aligned(name: str) -> None:
    model = parse_compiled(MODELS[name].blob)
    header = model.header
    end = header.length - 4
    for layer in model.layers:
        assert layer.weights % 16 == layer.parameters % 16 == 0
        assert layer.parameters < end
        assert layer.kind == layout.ADD or layer.weights < end
        assert max(layer.x, layer.y) < header.arena
    assert header.table + 256 <= end
    used = sorted((r.offset, r.offset + r.keep + r.new) for r in model.regions)
    assert all(stop <= start for (_, stop), (start, _) in pairwise(used))
    assert used[-1][1] <= header.arena
