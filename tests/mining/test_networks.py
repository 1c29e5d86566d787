"""Uploaded networks: what they give, and what is refused, in a process of their own."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from mining.networks.process import NetworkProcess, NetworkRefused
from tests.mining.networks import hungry_network, looping_network, tiny_network

UNIT = {"normalisation": "unit"}


def refusal(data, declared=UNIT, **limits):
    with pytest.raises(NetworkRefused) as refused, NetworkProcess(data, declared, **limits):
        pass
    return str(refused.value)


def test_features_are_the_networks_output_one_image_at_a_time():
    images = np.random.default_rng(1).integers(0, 256, (20, 16, 16, 3)).astype(np.uint8)
    model = tiny_network()
    with NetworkProcess(model.SerializeToString(), UNIT) as network:
        facts, found = network.facts, network.embed(images)
        alone = network.embed(images[7:8])

    weights = numpy_helper.to_array(model.graph.initializer[0])
    pooled = (images.transpose(0, 3, 1, 2) / 255.0).reshape(20, 3, 4, 4, 4, 4).mean(axis=(3, 5)).reshape(20, -1)
    np.testing.assert_allclose(found, pooled @ weights, rtol=1e-4, atol=1e-5)
    assert np.array_equal(found[7:8], alone), "the same whatever is described beside it"
    assert (facts["layout"], facts["width"], facts["height"], facts["dimension"]) == ("NCHW", 16, 16, 6)


def test_normalisation_is_declared_or_read_from_the_network():
    images = np.full((1, 16, 16, 3), 51, dtype=np.uint8)
    said = tiny_network(metadata={"mean": "0.1, 0.2, 0.3", "std": "0.5"}).SerializeToString()
    with NetworkProcess(said, {"normalisation": "model"}) as network:
        assert network.facts["mean"] == [0.1, 0.2, 0.3]
        assert network.facts["sd"] == [0.5, 0.5, 0.5]
        read = network.embed(images)
    with NetworkProcess(said, UNIT) as network:
        assert not np.allclose(read, network.embed(images))
    assert "does not say how pixels are normalised" in refusal(
        tiny_network().SerializeToString(), {"normalisation": "model"}
    )


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n and so on", b"import os; os.system('id')", b"\x0a\x03abc"])
def test_what_is_no_onnx_is_refused(data):
    assert refusal(data).startswith("This is no ONNX file")


def test_custom_operators_are_refused_by_name():
    said = refusal(tiny_network(domain="my.operators", op_type="Fast").SerializeToString())
    assert said.startswith("It needs the custom operator 'Fast' of 'my.operators'.")
    assert "cannot load it" in refusal(tiny_network(op_type="Nonsense").SerializeToString())


def test_weights_in_another_file_are_refused(tmp_path):
    onnx.save_model(
        tiny_network(), tmp_path / "m.onnx", save_as_external_data=True, size_threshold=0, location="weights.bin"
    )
    assert "external data" in refusal((tmp_path / "m.onnx").read_bytes())


def test_a_path_of_this_machine_as_weights_is_refused_also_inside_a_node():
    secret = onnx.TensorProto(name="secret", data_type=TensorProto.FLOAT, dims=[1], data_location=1)
    entry = secret.external_data.add()
    entry.key, entry.value = "location", "/etc/hostname"
    model = tiny_network()
    node = model.graph.node.add(op_type="Constant", output=["unused"])
    node.attribute.add(name="value", type=onnx.AttributeProto.TENSOR, t=secret)
    assert "'secret'" in refusal(model.SerializeToString())


def test_a_dynamic_shape_needs_a_size():
    data = tiny_network(side="side").SerializeToString()
    assert "dynamic shape" in refusal(data)
    with NetworkProcess(data, {**UNIT, "width": 16, "height": 16}) as network:
        assert network.facts["width"] == 16
    assert "fails on an image of 32 x 32" in refusal(data, {**UNIT, "width": 32, "height": 32})
    fixed = tiny_network().SerializeToString()
    assert refusal(fixed, {**UNIT, "width": 32, "height": 32}) == "It takes images of 16 x 16 pixels, not 32 x 32."


def test_outputs_must_be_features():
    assert "is tensor(int64)" in refusal(tiny_network(output_type="label").SerializeToString())
    many = tiny_network(extra_outputs=True).SerializeToString()
    assert refusal(many) == "It has 2 outputs (embedding, flat): say which one holds the features."
    with NetworkProcess(many, {**UNIT, "output": "flat"}) as network:
        assert network.facts["dimension"] == 48
    assert "has no output 'gone'" in refusal(many, {**UNIT, "output": "gone"})
    assert "1 numbers" in refusal(tiny_network(dimension=1).SerializeToString())
    assert "takes 8 images at once" in refusal(tiny_network(batch=8).SerializeToString())
    assert "channels must be 1 or 3" in refusal(tiny_network(channels=4).SerializeToString())


def test_a_network_without_end_is_stopped():
    assert refusal(looping_network().SerializeToString(), check_seconds=4) == "It took more than 4 seconds."


def test_a_network_cannot_take_all_memory():
    said = refusal(hungry_network().SerializeToString())
    assert "memory" in said or "fails on an image" in said
