"""The process in which an uploaded network is looked at and run. A script: it imports nothing of this project.

It reads messages from standard input and answers on standard output: four bytes of length, JSON, and the bytes that
the JSON's `n_bytes` announces. It limits its own memory, processor time, open files and written files before it looks
at the first byte of the network, which comes as bytes and never as a path: there is nothing beside it to be found.
"""

import json
import os
import resource
import struct
import sys

import numpy as np

OWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
"""Operators that onnxruntime brings itself. No library of others is ever loaded."""
MESSAGE, STRING, INT32 = 11, 9, 5
OPTIONAL, REPEATED = 1, 3
FIELDS = {
    "Model": [("graph", 7, "Graph"), ("metadata_props", 14, "Entry*"), ("functions", 25, "Function*")],
    "Entry": [("key", 1, ""), ("value", 2, "")],
    "Function": [("name", 1, ""), ("node", 7, "Node*"), ("domain", 10, ""), ("attribute_proto", 11, "Attribute*")],
    "Graph": [("node", 1, "Node*"), ("initializer", 5, "Tensor*"), ("sparse_initializer", 15, "Sparse*")],
    "Node": [("op_type", 4, ""), ("attribute", 5, "Attribute*"), ("domain", 7, "")],
    "Attribute": [
        ("t", 5, "Tensor"), ("g", 6, "Graph"), ("tensors", 10, "Tensor*"), ("graphs", 11, "Graph*"),
        ("sparse_tensor", 22, "Sparse"), ("sparse_tensors", 23, "Sparse*"),
    ],
    "Sparse": [("values", 1, "Tensor"), ("indices", 2, "Tensor")],
    "Tensor": [("name", 8, ""), ("external_data", 13, "Entry*"), ("data_location", 14, "int")],
}  # fmt: skip
"""The part of ONNX's format that has to be read before the network is given to anybody else (onnx.proto, IR 3-11)."""


class Refused(Exception):
    """The network cannot be used; the message says why, for the person who sent it."""


def limit(memory_bytes: int, cpu_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    if cpu_seconds:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def format_of_onnx():
    """Return a message class that reads the fields above and skips all others."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="onnx_part.proto", package="part", syntax="proto2")
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            entry = message.field.add(name=field, number=number, label=REPEATED if kind.endswith("*") else OPTIONAL)
            if kind in ("", "int"):
                entry.type = INT32 if kind else STRING
            else:
                entry.type, entry.type_name = MESSAGE, f".part.{kind.rstrip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("part.Model"))


def read_model(data: bytes):
    """Return the model's structure; Refused where it is no ONNX, needs files beside it or operators of others."""
    from google.protobuf.message import DecodeError

    model = format_of_onnx()()
    try:
        model.ParseFromString(data)
    except (DecodeError, UnicodeDecodeError):
        raise Refused("This is no ONNX file.") from None
    if not model.HasField("graph") or not model.graph.node:
        raise Refused("This is no ONNX file: it holds no network.")
    own = {(one.domain, one.name) for one in model.functions}
    look_at_nodes(model.graph.node, own)
    look_at_graph(model.graph, own)
    for function in model.functions:
        look_at_nodes(function.node, own)
    return model


def look_at_graph(graph, own) -> None:
    for tensor in graph.initializer:
        look_at_tensor(tensor)
    for sparse in graph.sparse_initializer:
        look_at_tensor(sparse.values)
        look_at_tensor(sparse.indices)


def look_at_nodes(nodes, own) -> None:
    for node in nodes:
        if node.domain not in OWN_DOMAINS and (node.domain, node.op_type) not in own:
            raise Refused(
                f"It needs the custom operator {node.op_type!r} of {node.domain!r}. Only operators of ONNX itself can "
                "be run here: export the network without it."
            )
        for attribute in node.attribute:
            look_at_attribute(attribute, own)


def look_at_attribute(attribute, own) -> None:
    for tensor in (attribute.t, *attribute.tensors):
        look_at_tensor(tensor)
    for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
        look_at_tensor(sparse.values)
        look_at_tensor(sparse.indices)
    for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
        look_at_nodes(graph.node, own)
        look_at_graph(graph, own)


def look_at_tensor(tensor) -> None:
    if tensor.external_data or tensor.data_location:
        raise Refused(
            f"The weights of {tensor.name!r} lie in a file beside it (external data). Save the network as one file."
        )


def open_session(data: bytes):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except MemoryError:
        raise
    except Exception as reason:
        raise Refused(f"onnxruntime {onnxruntime.__version__} cannot load it: {first_line(reason)}") from None


def first_line(reason: Exception) -> str:
    text = " ".join(str(reason).split("\n")[0].split())
    return text.rpartition(" : ")[2][:300] or type(reason).__name__


def input_of(session, declared):
    """Return the input's name, layout and size, as the network or, where its shape is open, the user says."""
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise Refused(f"It has {len(inputs)} inputs ({names_of(inputs)}); an embedding network takes an image only.")
    (one,) = inputs
    shape = list(one.shape)
    if one.type not in ("tensor(float)", "tensor(uint8)"):
        raise Refused(f"Its input {one.name!r} is {one.type}; images are given as tensor(float) or tensor(uint8).")
    if len(shape) != 4:
        raise Refused(f"Its input {one.name!r} has the shape {shown(shape)}; it must be (1, channels, height, width).")
    if isinstance(shape[0], int) and shape[0] != 1:
        raise Refused(f"It takes {shape[0]} images at once; export it with a batch of 1 or an open one.")
    if shape[1] in (1, 3):
        layout, channels, (height, width) = "NCHW", shape[1], shape[2:]
    elif shape[3] in (1, 3):
        layout, channels, (height, width) = "NHWC", shape[3], shape[1:3]
    else:
        raise Refused(f"Its input {one.name!r} has the shape {shown(shape)}; the channels must be 1 or 3.")
    wanted_width, wanted_height = declared.get("width"), declared.get("height")
    open_shape = not (isinstance(height, int) and isinstance(width, int))
    if open_shape and not (wanted_width and wanted_height):
        raise Refused(f"Its input has a dynamic shape {shown(shape)}: say the width and height of the images.")
    height = height if isinstance(height, int) else wanted_height
    width = width if isinstance(width, int) else wanted_width
    if (wanted_width and wanted_width != width) or (wanted_height and wanted_height != height):
        raise Refused(f"It takes images of {width} x {height} pixels, not {wanted_width} x {wanted_height}.")
    if not (4 <= width <= 1024 and 4 <= height <= 1024):
        raise Refused(f"It takes images of {width} x {height} pixels; 4 to 1,024 are possible.")
    return {"input": one.name, "layout": layout, "channels": channels, "width": width, "height": height,
            "eight_bit": one.type == "tensor(uint8)"}  # fmt: skip


def output_of(session, declared):
    outputs = session.get_outputs()
    wanted = declared.get("output")
    if wanted:
        chosen = [one for one in outputs if one.name == wanted]
        if not chosen:
            raise Refused(f"It has no output {wanted!r}; there are {names_of(outputs)}.")
    elif len(outputs) > 1:
        raise Refused(f"It has {len(outputs)} outputs ({names_of(outputs)}): say which one holds the features.")
    else:
        chosen = outputs
    if chosen[0].type != "tensor(float)":
        raise Refused(f"Its output {chosen[0].name!r} is {chosen[0].type}; features are tensor(float).")
    return chosen[0].name


def names_of(entries) -> str:
    return ", ".join(one.name for one in entries[:10]) or "none"


def shown(shape) -> str:
    return f"({', '.join('?' if side is None else str(side) for side in shape)})"


def normalisation_of(model, declared, facts):
    """Return mean and SD of each channel, of pixels in 0 .. 1, as declared or as the network's metadata say."""
    channels = facts["channels"]
    if facts["eight_bit"]:
        return {"normalisation": "none", "mean": [0.0] * channels, "sd": [1.0] * channels}
    chosen = declared["normalisation"]
    said = {entry.key.lower(): entry.value for entry in model.metadata_props}
    if chosen == "model":
        mean, sd = numbers(said.get("mean")), numbers(said.get("std") or said.get("sd"))
        if not mean or not sd:
            raise Refused("It does not say how pixels are normalised (metadata mean and std): choose it yourself.")
        if len(mean) not in (1, channels) or len(sd) not in (1, channels) or min(sd) <= 0:
            raise Refused(f"Its metadata mean and std do not fit {channels} channels.")
        return {"normalisation": chosen, "mean": stretched(mean, channels), "sd": stretched(sd, channels)}
    mean, sd = {
        "unit": ([0.0], [1.0]),
        "minus_one_to_one": ([0.5], [0.5]),
        "raw": ([0.0], [1.0 / 255.0]),
        "imagenet": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    }[chosen]
    if len(mean) not in (1, channels):
        mean, sd = [sum(mean) / len(mean)], [sum(sd) / len(sd)]
    return {"normalisation": chosen, "mean": stretched(mean, channels), "sd": stretched(sd, channels)}


def numbers(text):
    try:
        return [float(one) for one in (text or "").strip("[]() ").replace(",", " ").split()]
    except ValueError:
        return []


def stretched(values, channels):
    return list(values) * channels if len(values) == 1 else list(values)


def embed(session, facts, images):
    """Return (n, d) float32 of (n, h, w, channels) 8-bit images, one at a time: the same whatever is beside it."""
    mean, sd = np.float32(facts["mean"]), np.float32(facts["sd"])
    rows = []
    for image in images:
        given = image if facts["eight_bit"] else (image.astype(np.float32) / np.float32(255.0) - mean) / sd
        laid = given[None] if facts["layout"] == "NHWC" else given.transpose(2, 0, 1)[None]
        try:
            (found,) = session.run([facts["output"]], {facts["input"]: np.ascontiguousarray(laid)})
        except MemoryError:
            raise
        except Exception as reason:
            raise Refused(
                f"It fails on an image of {facts['width']} x {facts['height']}: {first_line(reason)}"
            ) from None
        found = np.asarray(found, dtype=np.float32)
        if found.ndim < 2 or found.shape[0] != 1:
            raise Refused(f"Its output has the shape {shown(found.shape)}; it must be (1, numbers) for an image.")
        rows.append(found.reshape(-1))
    return np.stack(rows)


def inspect(data: bytes, declared):
    """Return the session and everything there is to know of the network, after it has been tried on two images."""
    model = read_model(data)
    session = open_session(data)
    facts = input_of(session, declared)
    facts["output"] = output_of(session, declared)
    facts |= normalisation_of(model, declared, facts)
    tried = np.random.default_rng(0).integers(0, 256, (2, facts["height"], facts["width"], facts["channels"]))
    features = embed(session, facts, tried.astype(np.uint8))
    facts["dimension"] = int(features.shape[1])
    if not 2 <= facts["dimension"] <= declared["most_numbers"]:
        raise Refused(
            f"Its output has {facts['dimension']:,} numbers for an image; 2 to {declared['most_numbers']:,} are "
            "possible: export it up to its embedding, after pooling."
        )
    if not np.isfinite(features).all():
        raise Refused("Its output is not finite for an ordinary image: look at the normalisation.")
    if np.array_equal(features[0], features[1]):
        raise Refused("Its output is the same for every image, so it describes none.")
    return session, facts


def receive(stream):
    head = stream.read(4)
    if len(head) < 4:
        return None, b""
    message = json.loads(stream.read(struct.unpack(">I", head)[0]))
    return message, stream.read(message.get("n_bytes", 0))


def send(stream, message, data: bytes = b"") -> None:
    text = json.dumps({**message, "n_bytes": len(data)}).encode()
    stream.write(struct.pack(">I", len(text)) + text + data)
    stream.flush()


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints does not get among the answers
    limit(int(sys.argv[1]), int(sys.argv[2]))
    try:
        message, data = receive(sys.stdin.buffer)
        session, facts = inspect(data, message["declared"])
        del data
        send(answers, {"facts": facts})
        while True:
            message, data = receive(sys.stdin.buffer)
            if message is None:
                return
            shape = (message["n"], facts["height"], facts["width"], facts["channels"])
            features = embed(session, facts, np.frombuffer(data, dtype=np.uint8).reshape(shape))
            send(answers, {"n": len(features)}, features.astype("<f4").tobytes())
    except Refused as reason:
        send(answers, {"refused": str(reason)})
    except MemoryError:
        send(answers, {"refused": "It needs more memory than it may have."})


if __name__ == "__main__":
    main()
