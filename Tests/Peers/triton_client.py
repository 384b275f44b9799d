#!/usr/bin/env python3
"""Triton's own client against a server that has the fixture `softprob` as the model m.

    pip install 'tritonclient[http]'
    python3 Tests/Peers/triton_client.py http://127.0.0.1:8080

Everything that the client can ask of a model is asked, in JSON and in binary, by its synchronous and its asynchronous
form, and the answers are compared with each other.
"""

import asyncio
import json
import sys
import urllib.request

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException

address = sys.argv[1]
host = address.removeprefix("http://")
rows = np.array([[0.5, -1.25, 2, 0.125], [1.5, np.nan, -0.75, 3]], dtype=np.float32)


def expected():
    body = json.dumps({"instances": [[None if np.isnan(v) else float(v) for v in r] for r in rows]})
    request = urllib.request.Request(f"{address}/v1/models/m:predict", body.encode())
    return np.array(json.load(urllib.request.urlopen(request))["predictions"], dtype=np.float32)


def inputs(module, binary):
    tensor = module.InferInput("input", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=binary)
    return [tensor]


def outputs(module, binary, classes=0):
    return [module.InferRequestedOutput("score", binary_data=binary, class_count=classes)]


def synchronous(want, compressed):
    client = triton.InferenceServerClient(host)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("m")
    assert client.get_server_metadata()["name"] == "rtinfer"
    assert client.get_model_metadata("m")["inputs"][0]["shape"] == [-1, 4]
    assert client.get_model_repository_index()[0]["state"] == "READY"
    for binary_in in (True, False):
        for binary_out in (None, True, False):
            wanted = None if binary_out is None else outputs(triton, binary_out)
            for coding in (None, *compressed):
                result = client.infer(
                    "m", inputs(triton, binary_in), outputs=wanted, request_id="7",
                    request_compression_algorithm=coding)
                assert np.array_equal(result.as_numpy("score"), want), (binary_in, binary_out, coding)
                assert result.get_response()["id"] == "7"
    ranked = client.infer("m", inputs(triton, True), outputs=outputs(triton, True, 2)).as_numpy("score")
    assert ranked.shape == (2, 2) and int(ranked[0][0].split(b":")[1]) == int(want[0].argmax())
    assert client.get_inference_statistics("m")["model_stats"][0]["inference_count"] > 0
    for wrong in (lambda: client.infer("absent", inputs(triton, True)),
                  lambda: client.get_model_metadata("absent")):
        try:
            wrong()
            raise AssertionError("an unknown model is an error")
        except InferenceServerException as error:
            assert "no model 'absent' is served" in str(error), error


async def asynchronous(want):
    async with triton_aio.InferenceServerClient(host) as client:
        assert await client.is_server_ready()
        assert (await client.get_server_metadata())["name"] == "rtinfer"
        results = await asyncio.gather(
            *[client.infer("m", inputs(triton_aio, index % 2 == 0)) for index in range(20)])
        assert all(np.array_equal(result.as_numpy("score"), want) for result in results)


want = expected()
synchronous(want, sys.argv[2:])
asyncio.run(asynchronous(want))
print("ok")
