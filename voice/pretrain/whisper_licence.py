"""Whose weights the content encoder's layers are, and the licence that goes with them (github.com/openai/whisper)."""

from __future__ import annotations

FILE = "LICENSE-whisper.txt"
ENTRY = {
    "file": "content.safetensors",
    "tensors": "whisper.encoder.*: the two convolutions and layers 1 to 4 of the encoder",
    "origin": "openai/whisper, size base (Radford et al. 2023)",
    "changed": "matrices and convolutions rounded to 4 bits; later layers and the decoder left out",
    "licence": "MIT, Copyright (c) 2022 OpenAI",
    "licence_text": FILE,
}
TEXT = """MIT License

Copyright (c) 2022 OpenAI

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
