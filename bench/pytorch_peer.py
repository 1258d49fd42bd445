#!/usr/bin/env python3
"""What PyTorch reaches on this machine's GPU, for comparison beside `i2m bench` (bench/measure-gpu.sh runs both in one go).

    pytorch_peer.py --json FILE [--device cuda|cpu] [--small] [--beside BENCH.json]

Products, attention, memory-bound operations, one block and 50 guided sampling steps in bfloat16 with fused attention, and a training step of the full preset's network with random weights in four ways: float32, float32 with
TF32 products, bfloat16 with fused attention, and that compiled. Medians of event-timed runs after warming up, three sets of operands in turn. What this version or
device of PyTorch cannot do is written with its reason. --small takes sizes that a processor finishes. --beside prints what `i2m bench --json` measured in the same
work as a multiple of PyTorch's rate. Exit status: 0 measured, 2 wrong use, 3 no such device.
"""
import argparse
import contextlib
import json
import math
import platform
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

SETS, WARM, RUNS = 3, 10, 30


class Sizes:
    """The full preset's network and training batch, or something small."""

    def __init__(self, small):
        self.square = 256 if small else 4096
        self.batch, self.hidden, self.heads, self.layers = (1, 128, 2, 1) if small else (32, 768, 12, 12)
        self.mel_tokens, self.image_tokens, self.mel_values, self.image_values = (35, 64, 32, 768) if small else (875, 1024, 32, 768)
        self.attention = [(1, 35, 35)] if small else [(32, 875, 875), (32, 875, 1024), (16, 1024, 1024), (2, 875, 875), (1, 875, 875)]
        self.steps = 4 if small else 50
        self.parameters = 1 << 16 if small else 159_956_768
        self.copy = 1 << 20 if small else 1 << 30


class Clock:
    """Times work by the device's events, or by the host's clock on a processor."""

    def __init__(self, device):
        self.device = device

    def run(self, work, runs=RUNS, warm=WARM):
        for _ in range(warm):
            work()
        # Short work several times between two events, so that the device does not wait for the host.
        at_once = max(1, min(100, int(1 / max(self.once(work), 1e-3)))) if self.device == "cuda" else 1
        times = [self.once(lambda: [work() for _ in range(at_once)]) / at_once for _ in range(runs)]
        return {"ms": statistics.median(times), "ms_min": min(times), "ms_max": max(times), "runs": runs}

    def once(self, work):
        if self.device != "cuda":
            start = time.perf_counter()
            work()
            return 1e3 * (time.perf_counter() - start)
        torch.cuda.synchronize()
        first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        first.record()
        work()
        last.record()
        torch.cuda.synchronize()
        return first.elapsed_time(last)


def in_turn(sets, work):
    """Work that takes the next set of operands at every call, so that none stays in a cache."""
    turn = [0]

    def call():
        turn[0] += 1
        return work(*sets[turn[0] % len(sets)])

    return call


@contextlib.contextmanager
def tf32(on):
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = on
    torch.backends.cudnn.allow_tf32 = on
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def product(clock, n, dtype, allow_tf32):
    sets = [(torch.randn(n, n, device=clock.device, dtype=dtype), torch.randn(n, n, device=clock.device, dtype=dtype)) for _ in range(SETS)]
    with tf32(allow_tf32):
        result = clock.run(in_turn(sets, torch.matmul))
    return {**result, "gflops": 2e-6 * n**3 / result["ms"]}


def attention(clock, batch, heads, queries, keys, head_dim, backward):
    """Useful work: two products forward, four backward (the forward pass's product computed anew is not counted)."""
    def operand(rows):
        return torch.randn(batch, heads, rows, head_dim, device=clock.device, dtype=torch.bfloat16, requires_grad=backward)

    sets = [(operand(queries), operand(keys), operand(keys)) for _ in range(SETS)]
    flops = 4.0 * batch * heads * queries * keys * head_dim
    if not backward:
        with torch.no_grad():
            result = clock.run(in_turn(sets, F.scaled_dot_product_attention))
        return {**result, "gflops": 1e-6 * flops / result["ms"]}
    outputs = [(F.scaled_dot_product_attention(*s), s) for s in sets]
    seed = torch.randn_like(outputs[0][0])
    result = clock.run(in_turn(outputs, lambda o, s: torch.autograd.grad(o, s, seed, retain_graph=True)))
    return {**result, "gflops": 2e-6 * flops / result["ms"]}


def memory_bound(clock, s):
    """Name, bytes and work of the operations that memory limits."""
    device, rows, wide = clock.device, s.batch * s.mel_tokens, 4 * s.hidden
    a, b = torch.randn(s.copy, device=device), torch.empty(s.copy, device=device)
    yield "copy", 8.0 * s.copy, lambda: b.copy_(a)
    for name, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        size = torch.finfo(dtype).bits // 8
        x = [(torch.randn(rows, s.hidden, device=device, dtype=dtype),) for _ in range(SETS)]
        yield f"layer_norm_{name}", 2.0 * size * rows * s.hidden, in_turn(x, lambda v: F.layer_norm(v, (s.hidden,)))
        g = [(torch.randn(rows, wide, device=device, dtype=dtype),) for _ in range(SETS)]
        yield f"gelu_{name}", 2.0 * size * rows * wide, in_turn(g, F.gelu)
    p = torch.nn.Parameter(torch.randn(s.parameters, device=device))
    p.grad = torch.randn_like(p)
    options = {"lr": 1e-4, "weight_decay": 0.01}
    try:
        optimizer = torch.optim.AdamW([p], fused=device == "cuda", **options)
        optimizer.step()
    except (TypeError, RuntimeError):
        optimizer = torch.optim.AdamW([p], **options)
    # Gradient, parameter and two moments read, all but the gradient written.
    yield "adamw", 28.0 * s.parameters, optimizer.step


class Attention(nn.Module):
    def __init__(self, hidden, heads, fused):
        super().__init__()
        self.heads, self.fused = heads, fused
        self.q, self.kv, self.out = nn.Linear(hidden, hidden), nn.Linear(hidden, 2 * hidden), nn.Linear(hidden, hidden)

    def forward(self, x, context):
        batch, rows, hidden = x.shape
        q = self.q(x).view(batch, rows, self.heads, -1).transpose(1, 2)
        k, v = self.kv(context).view(batch, context.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        if self.fused:
            o = F.scaled_dot_product_attention(q, k, v)
        else:
            # The scores in full, as nn.MultiheadAttention makes them when it is asked for its weights.
            o = torch.softmax(q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5, -1) @ v
        return self.out(o.transpose(1, 2).reshape(batch, rows, hidden))


class AdaNorm(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(hidden, elementwise_affine=False), nn.Linear(hidden, 2 * hidden)

    def forward(self, x, t):
        scale, shift = self.linear(F.silu(t)).unsqueeze(1).chunk(2, -1)
        return self.norm(x) * (1 + scale) + shift


class Block(nn.Module):
    def __init__(self, hidden, heads, fused):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = AdaNorm(hidden), AdaNorm(hidden), AdaNorm(hidden)
        self.own, self.cross = Attention(hidden, heads, fused), Attention(hidden, heads, fused)
        self.mlp = nn.Sequential(nn.Linear(hidden, 4 * hidden), nn.GELU(), nn.Linear(4 * hidden, hidden))

    def forward(self, x, context, t):
        n = self.norm1(x, t)
        x = x + self.own(n, n)
        x = x + self.cross(self.norm2(x, t), context)
        return x + self.mlp(self.norm3(x, t))


class Network(nn.Module):
    """Blocks of self attention, cross attention to the picture's tokens and an MLP, each behind a norm that the timestep modulates: 160 million parameters."""

    def __init__(self, s, fused):
        super().__init__()
        h = s.hidden
        self.mel, self.image = nn.Linear(s.mel_values, h), nn.Linear(s.image_values, h)
        self.place, self.image_place = nn.Parameter(torch.zeros(s.mel_tokens, h)), nn.Parameter(torch.zeros(s.image_tokens, h))
        self.time = nn.Sequential(nn.Linear(256, h), nn.SiLU(), nn.Linear(h, h))
        self.blocks = nn.ModuleList(Block(h, s.heads, fused) for _ in range(s.layers))
        self.norm, self.last = AdaNorm(h), nn.Linear(h, s.mel_values)

    def forward(self, x, picture, t):
        h, context, t = self.mel(x) + self.place, self.image(picture) + self.image_place, self.time(t)
        for block in self.blocks:
            h = block(h, context, t)
        return self.last(self.norm(h, t))


def block_flops(s, context=True):
    """Of a sample's forward pass through a block as `i2m bench` counts them: products and attention, with or without the keys and values of the context."""
    h, mel, image = s.hidden, s.mel_tokens, s.image_tokens
    return 2.0 * (14 * h * h * mel + 2 * mel * mel * h + 2 * mel * image * h + (2 * h * h * image if context else 0))


def step_flops(s):
    """Of a training step: the blocks, forward and backward."""
    return 3.0 * s.batch * s.layers * block_flops(s)


def block(clock, s, backward):
    module = Block(s.hidden, s.heads, fused=True).to(clock.device)
    x, context = (torch.randn(s.batch, rows, s.hidden, device=clock.device, requires_grad=backward) for rows in (s.mel_tokens, s.image_tokens))
    t, seed = torch.randn(s.batch, s.hidden, device=clock.device), torch.randn(s.batch, s.mel_tokens, s.hidden, device=clock.device)

    def work():
        with torch.set_grad_enabled(backward), torch.autocast(clock.device, dtype=torch.bfloat16):
            y = module(x, context, t)
        if backward:
            y.backward(seed)

    result = clock.run(work)
    return {**result, "gflops": (3 if backward else 1) * 1e-6 * s.batch * block_flops(s) / result["ms"]}


def sampling(clock, s, scale=3.0, rescale=0.7):
    """One sample: both halves of guidance in a batch of two, DDIM by predicted velocity; the context's keys and values anew at every step, as an eager loop has them."""
    network = Network(s, fused=True).to(clock.device).eval()
    x, picture, t = (torch.randn(*shape, device=clock.device) for shape in ((1, s.mel_tokens, s.mel_values), (2, s.image_tokens, s.image_values), (2, 256)))
    angles = torch.linspace(1.5, 0.0, s.steps + 1).tolist()

    @torch.no_grad()
    def work():
        state = x
        for now, then in zip(angles, angles[1:]):
            with torch.autocast(clock.device, dtype=torch.bfloat16):
                with_picture, without = network(state.expand(2, -1, -1), picture, t).float().split(1)
            v = without + scale * (with_picture - without)
            v = v * (rescale * with_picture.std() / v.std() + 1 - rescale)
            clean, noise = math.cos(now) * state - math.sin(now) * v, math.sin(now) * state + math.cos(now) * v
            state = math.cos(then) * clean + math.sin(then) * noise
        return state

    result = clock.run(work, runs=5, warm=2) if clock.device == "cuda" else clock.run(work, runs=1, warm=1)
    return {**result, "gflops": 1e-6 * 2 * s.steps * s.layers * block_flops(s, context=False) / result["ms"], "samples_per_s": 1e3 / result["ms"]}


def train_step(clock, s, allow_tf32, half, compiled):
    network = Network(s, fused=half).to(clock.device)
    count = sum(p.numel() for p in network.parameters())
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, weight_decay=0.01, **({"fused": True} if clock.device == "cuda" else {}))
    data = [torch.randn(s.batch, *shape, device=clock.device) for shape in ((s.mel_tokens, s.mel_values), (s.image_tokens, s.image_values), (256,), (s.mel_tokens, s.mel_values))]
    model = torch.compile(network) if compiled else network

    def step():
        with torch.autocast(clock.device, dtype=torch.bfloat16, enabled=half):
            loss = F.mse_loss(model(data[0], data[1], data[2]), data[3])
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    if clock.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with tf32(allow_tf32):
        result = clock.run(step, runs=10, warm=3) if clock.device == "cuda" else clock.run(step, runs=2, warm=1)
    peak = torch.cuda.max_memory_allocated() if clock.device == "cuda" else None
    return {**result, "gflops": 1e-6 * step_flops(s) / result["ms"], "samples_per_s": 1e3 * s.batch / result["ms"], "parameters": count, "batch": s.batch, "peak_bytes": peak}


def cases(clock, s):
    """Name and measurement of everything."""
    n = s.square
    yield f"gemm_bf16_{n}", lambda: product(clock, n, torch.bfloat16, False)
    yield f"gemm_tf32_{n}", lambda: product(clock, n, torch.float32, True)
    yield f"gemm_f32_{n}", lambda: product(clock, n, torch.float32, False)
    for batch, queries, keys in s.attention:
        shape = (batch, s.heads, queries, keys, s.hidden // s.heads)
        yield f"sdpa_fwd_bf16_b{batch}_{queries}x{keys}", lambda shape=shape: attention(clock, *shape, backward=False)
        yield f"sdpa_bwd_bf16_b{batch}_{queries}x{keys}", lambda shape=shape: attention(clock, *shape, backward=True)
    for name, size, work in memory_bound(clock, s):
        yield name, lambda size=size, work=work: (lambda r: {**r, "gbs": 1e-6 * size / r["ms"]})(clock.run(work))
    for name, backward in (("fwd", False), ("fwd_bwd", True)):
        yield f"block_{name}_bf16_b{s.batch}", lambda backward=backward: block(clock, s, backward)
    yield f"ddim{s.steps}_bf16", lambda: sampling(clock, s)
    for name, options in (("f32_eager", (False, False, False)), ("tf32_eager", (True, False, False)), ("bf16_sdpa", (True, True, False)), ("bf16_sdpa_compiled", (True, True, True))):
        yield f"train_step_{name}_b{s.batch}", lambda options=options: train_step(clock, s, *options)


def measured(name, work, device):
    try:
        return {"case": name, **{k: round(v, 4) if isinstance(v, float) else v for k, v in work().items()}}
    except (RuntimeError, AttributeError, NotImplementedError, TypeError, AssertionError) as e:
        return {"case": name, "error": f"{type(e).__name__}: {str(e).strip().splitlines()[0] if str(e).strip() else ''}"}
    finally:
        if device == "cuda":
            torch.cuda.empty_cache()


# Which case of `i2m bench` does the same work; attention's names follow from the peer's own.
BESIDE = {"copy": "g0_copy", "layer_norm_f32": "g8_adaln_fwd", "gelu_f32": "g8_gelu_fwd", "adamw": "g8_adamw"}


def other_name(case):
    parts = case.split("_")
    if parts[0] == "gemm":
        n = parts[2]
        return f"g3_nt_bf16_{n}x{n}x{n}" if parts[1] == "bf16" else f"g5_nn_{parts[1]}_{n}x{n}x{n}"
    if parts[0] == "sdpa":
        return f"{'g6' if parts[1] == 'fwd' else 'g7'}_flash_{'_'.join(parts[1:])}"
    if parts[0] == "block":
        return f"g9_{case}"
    if parts[0].startswith("ddim"):
        return f"g11_{case}_replayed"
    return BESIDE.get(case)


def print_beside(results, path):
    """A line for each case that both measured: rates and their ratio, above 1 where I2M is faster."""
    with open(path, encoding="utf-8") as file:
        others = {r["case"]: r for r in json.load(file)}
    print(f"{'I2M beside PyTorch':36} {'I2M':>12} {'PyTorch':>12} {'ratio':>7}")
    for result in results:
        other = others.get(other_name(result["case"]))
        key = "gflops" if "gflops" in result else "gbs"
        if other and key in result:
            unit = "GFLOP/s" if key == "gflops" else "GB/s"
            print(f"{other['case']:36} {other[key]:12.1f} {result[key]:12.1f} {other[key] / result[key]:7.2f} {unit}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", required=True, help="file to write, a list of objects")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="sizes that a processor finishes in seconds")
    parser.add_argument("--beside", metavar="FILE", help="results of `i2m bench --json` to print beside these")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("pytorch_peer.py: this PyTorch sees no CUDA device", file=sys.stderr)
        return 3
    name = torch.cuda.get_device_name() if options.device == "cuda" else platform.machine()
    facts = {"device": name, "torch": torch.__version__, "cuda": torch.version.cuda}
    results = []
    for case, work in cases(Clock(options.device), Sizes(options.small)):
        result = {**measured(case, work, options.device), **facts}
        results.append(result)
        rate = next((f"{result[k]:12.1f} {unit}" for k, unit in (("gflops", "GFLOP/s"), ("gbs", "GB/s")) if k in result), "")
        print(f"{case:36} {result['ms']:10.3f} ms {rate}" if "ms" in result else f"{case:36} left out: {result['error']}", flush=True)
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=2)
        file.write("\n")
    if options.beside:
        print_beside(results, options.beside)
    return 0


if __name__ == "__main__":
    sys.exit(main())
