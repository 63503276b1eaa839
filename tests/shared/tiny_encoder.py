"""A transformer encoder that is small enough for tests: random weights, 60 words."""

from __future__ import annotations

from pathlib import Path

WORDS = (
    "the a it was is at home lovely dark and nobody came so happy angry sad fear joy "
    "gift night day door smile tears"
).split()
PIECES = ["##s", "##ed", "##ly", "##e", "##n"]


def write_tiny_encoder(folder: Path, *, dim: int = 16) -> Path:
    """Write the folder of an encoder as transformers does, and return it."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocabulary = {word: i for i, word in enumerate([*special, *WORDS, *PIECES])}
    for letter in letters:
        vocabulary.setdefault(letter, len(vocabulary))
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
    torch.manual_seed(0)
    model = BertModel(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=dim,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=2 * dim,
            max_position_embeddings=160,
        )
    )
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
