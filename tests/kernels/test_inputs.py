"""Arrays of any library on the CPU are taken as they are; everything else is refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from mmi_hpc.kernels import cosine_topk

RNG = np.random.default_rng(0)
BANK = RNG.standard_normal((40, 12), dtype=np.float32)


class OnlyDlpack:
    """A CPU array of a library that the kernels have never heard of."""

    def __init__(self, array, device=1):
        self.array, self.device = array, device

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return (self.device, 0)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def unaligned(array):
    buffer = bytearray(array.nbytes + 1)
    view = np.frombuffer(buffer, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    view[:] = array
    return view


def search(array):
    return cosine_topk(array, BANK, 5, threads=2)


@pytest.mark.parametrize(
    "form",
    [
        read_only,
        unaligned,
        np.asfortranarray,
        OnlyDlpack,
        lambda a: np.repeat(a, 2, axis=0)[::2],
        lambda a: np.repeat(a, 3, axis=1)[:, ::3],
        lambda a: a[::-1].copy()[::-1],
        lambda a: a.astype(">f4"),
    ],
)
def test_layout_and_origin_of_an_array_do_not_show(form):
    expected = search(BANK)
    result = search(form(BANK))
    assert result.scores.tobytes() == expected.scores.tobytes()
    assert result.indices.tobytes() == expected.indices.tobytes()


def test_float16_is_widened_exactly():
    half = BANK.astype(np.float16)
    expected = search(half.astype(np.float32))
    for array in (half, OnlyDlpack(half)):
        assert search(array).scores.tobytes() == expected.scores.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_torch_tensors_are_taken(dtype):
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(BANK).to(getattr(torch, dtype)).requires_grad_()
    expected = search(tensor.detach().float().numpy())
    for same in (tensor, tensor.repeat(2, 1)[: len(BANK)], tensor.t().contiguous().t()):
        assert search(same).scores.tobytes() == expected.scores.tobytes()


@pytest.mark.parametrize("dtype", [np.float64, np.int8, np.int64, np.complex64, bool, object])
def test_a_dtype_that_would_be_rounded_is_refused(dtype):
    with pytest.raises(TypeError, match=r"queries has dtype .*float32, float16 or bfloat16"):
        search(BANK.astype(dtype))


def test_a_torch_dtype_is_refused_in_torch_words():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"queries has dtype float64.*pass queries\.float\(\)"):
        search(torch.zeros(2, 12, dtype=torch.float64))


@pytest.mark.parametrize("shape", [(12,), (), (2, 3, 12)])
def test_two_dimensions_are_needed(shape):
    with pytest.raises(ValueError, match="but two dimensions"):
        search(np.zeros(shape, np.float32))


def test_rows_without_columns_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3, 0\): its rows have no columns"):
        search(np.zeros((3, 0), np.float32))


@pytest.mark.parametrize("thing", [[[1.0, 2.0]], None, "rows"])
def test_what_is_no_array_is_refused(thing):
    with pytest.raises(TypeError, match=f"queries is a {type(thing).__name__}; pass a NumPy array"):
        search(thing)


def test_a_masked_array_is_refused():
    with pytest.raises(TypeError, match="masked array"):
        search(np.ma.masked_less(BANK, 0))


def test_an_array_on_a_device_is_refused():
    with pytest.raises(ValueError, match=r"queries is on DLPack device type 2.*run on the CPU"):
        search(OnlyDlpack(BANK, device=2))


def test_a_torch_tensor_on_a_device_or_sparse_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match="queries is on meta"):
        search(torch.zeros(2, 12, device="meta"))
    with pytest.raises(TypeError, match=r"layout torch\.sparse_coo"):
        search(torch.zeros(2, 12).to_sparse())


def test_an_array_that_numpy_cannot_take_over_is_refused_with_its_reason():
    class Broken(OnlyDlpack):
        def __dlpack__(self, **options):
            raise BufferError("bfloat16 is not known here")

    with pytest.raises(TypeError, match=r"queries is a Broken .*bfloat16 is not known here"):
        search(Broken(BANK))
