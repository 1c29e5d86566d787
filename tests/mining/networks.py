"""Tiny networks in ONNX, made for the tests."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = [helper.make_opsetid("", 17)]


def tiny_network(
    *, dimension: int = 6, channels: int = 3, side: int | str | None = 16, batch: int | str = "n", output_type=None,
    metadata: dict[str, str] | None = None, domain: str = "", op_type: str = "MatMul", extra_outputs: bool = False,
) -> onnx.ModelProto:  # fmt: skip
    """Return pooling over the image and a linear map to `dimension` numbers."""
    weights = np.random.default_rng(0).normal(size=(channels * 16, dimension)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["image"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node(op_type, ["flat", "weights"], ["embedding"], domain=domain),
    ]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [batch, dimension])]
    if extra_outputs:
        outputs.append(helper.make_tensor_value_info("flat", TensorProto.FLOAT, [batch, channels * 16]))
    if output_type == "label":
        nodes.append(helper.make_node("ArgMax", ["embedding"], ["label"], axis=1))
        outputs = [helper.make_tensor_value_info("label", TensorProto.INT64, [batch, 1])]
    graph = helper.make_graph(
        nodes, "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, channels, side, side])],
        outputs, [numpy_helper.from_array(weights, "weights")],
    )  # fmt: skip
    opsets = [*OPSET, helper.make_opsetid(domain, 1)] if domain else OPSET
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    return model


def looping_network() -> onnx.ModelProto:
    """Return a network that adds one for ever (2^62 turns)."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["held", "held"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, None),
        ],
    )
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
            helper.make_node("Loop", ["turns", "yes", "mean"], ["embedding"], body=body),
        ],
        "loop",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 3])],
        [
            numpy_helper.from_array(np.int64(2**62), "turns"),
            numpy_helper.from_array(np.bool_(True), "yes"),
        ],
    )
    return helper.make_model(graph, opset_imports=OPSET, ir_version=8)


def hungry_network() -> onnx.ModelProto:
    """Return a network that asks for a terabyte."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
            helper.make_node("Expand", ["mean", "shape"], ["much"]),
            helper.make_node("ReduceMean", ["much"], ["embedding"], axes=[0], keepdims=1),
        ],
        "hungry",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(np.array([2**36, 3], dtype=np.int64), "shape")],
    )
    return helper.make_model(graph, opset_imports=OPSET, ir_version=8)
