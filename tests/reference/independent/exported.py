"""What tests/reference/export_studies.lua has written."""

import json
import os
import struct

import numpy

DTYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4"}


def read_safetensors(path):
    """name -> array; 32-bit floats become 64-bit ones."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        array = numpy.frombuffer(body[first:last], DTYPES[entry["dtype"]])
        array = array.reshape(entry["shape"])
        arrays[name] = array.astype("f8" if array.dtype.kind == "f" else "i8")
    return arrays


class Export:
    """One case: its record, its tensors, the corpora of its folder."""

    def __init__(self, folder, stem):
        self.folder, self.stem = folder, stem
        with open(os.path.join(folder, stem + ".json"), encoding="utf-8") as file:
            record = json.load(file)
        self.tensors = read_safetensors(os.path.join(folder, stem + ".safetensors"))
        self.experiment, self.case = record["experiment"], record["case"]
        self.result, self.calls, self.layouts = record["result"], record["calls"], record["layouts"]

    def of_kind(self, kind):
        return [call for call in self.calls if call["kind"] == kind]

    def parameters(self, model):
        """The parameters of a model as named arrays, and its layout."""
        flat, layout = self.tensors[model["flat"]], self.layouts[model["layout"]]
        places = {name: self.tensors[t] for name, t in layout["tensors"].items()}
        return {name: flat[place] for name, place in places.items()}, layout, places

    def state(self, state):
        """The first layer's h, or None."""
        return self.tensors[state[0]["h"]] if state else None

    def text(self, name):
        stem = self.stem if name == "string" else "".join(
            c if c.isascii() and c.isalnum() else "_" for c in name)
        path = os.path.join(self.folder, stem + ".txt")
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()


def exports(folder):
    stems = sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".json"))
    return [Export(folder, stem) for stem in stems]
