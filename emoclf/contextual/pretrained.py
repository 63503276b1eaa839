"""Load tokenizers and models of transformers, from a folder or from the model hub."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from emoclf.errors import ModelError, wrong_kind
from emoclf.fingerprint import digest
from emoclf.optional import require

EXTRA = "transformers"


#: Entries of a configuration that say who wrote it and how it was loaded.
_PASSING_ENTRIES = ("transformers_version", "_name_or_path", "dtype", "torch_dtype")


class Pretrained(NamedTuple):
    """A tokenizer and a model of transformers.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerFast
    model : PreTrainedModel
        In evaluation mode.
    missing : tuple of str
        Weights of the model that its file does not contain; they are random.
    """

    tokenizer: Any
    model: Any
    missing: tuple[str, ...]

    def digest(self) -> str:
        """Return a digest of the configuration, the tokenizer and all weights.

        Weights that the file lacks are drawn at random, and do not count.
        """
        weights = {
            name: tensor.float().numpy()
            for name, tensor in sorted(self.model.state_dict().items())
            if name not in self.missing
        }
        tokenizer = self.tokenizer.backend_tokenizer.to_str()
        config = plain_config(self.model.config)
        return digest(config, tokenizer, list(weights), *weights.values())


def load_pretrained(
    name: str | os.PathLike[str],
    *,
    noun: str = "an encoder",
    model_class: str = "AutoModel",
    **options: Any,
) -> Pretrained:
    """Load a tokenizer and a model; weights in safetensors only, and no code.

    Parameters
    ----------
    name : str or path
        Folder, or a name on the Hugging Face Hub. An existing folder wins.
    noun : str
        Name of the model in messages, with its article.
    model_class : str
        Class of transformers that loads the model.
    **options
        Options of its ``from_pretrained``.

    Returns
    -------
    pretrained : Pretrained

    Raises
    ------
    ModelError
        If there is no such model, it is incomplete, its weights are pickled, or its
        tokenizer does not know the places of its tokens.
    MissingDependency
        If transformers or torch is not installed.
    """
    if not isinstance(name, str | os.PathLike):
        wanted = f"the folder of {noun}, or its name on the Hugging Face Hub"
        raise ModelError(wrong_kind("encoder", wanted, name))
    name, the_model = os.fspath(name), f"the {noun.split(' ', 1)[1]}"
    require("torch", extra=EXTRA, needed_by=noun)
    library: Any = require("transformers", extra=EXTRA, needed_by=noun)
    is_folder = os.path.isdir(name)
    if not is_folder and (os.path.isabs(name) or os.path.exists(name)):
        raise ModelError(
            f"{name} is not the folder of {noun}. Name a folder with a "
            "config.json, weights and a tokenizer, or a name on the Hugging Face Hub."
        )
    source = {"local_files_only": is_folder, "trust_remote_code": False}
    library.logging.set_verbosity_error()
    library.logging.disable_progress_bar()
    try:
        tokenizer = library.AutoTokenizer.from_pretrained(name, use_fast=True, **source)
        # Pickled weights run code when they are read.
        loader = getattr(library, model_class)
        model, details = loader.from_pretrained(
            name, use_safetensors=True, output_loading_info=True, **source, **options
        )
    except Exception as error:
        # transformers, tokenizers and the hub raise almost anything.
        reason = str(error).strip().split("\n")[0]
        cure = "It needs a config.json, a tokenizer and weights in safetensors."
        if not is_folder:
            cure = (
                "There is no such folder, so it was looked up on the Hugging Face Hub. "
                "Check the name; without internet access, give the path of a folder."
            )
        raise ModelError(
            f"{the_model.capitalize()} {name!r} cannot be loaded "
            f"({type(error).__name__}: {reason}). {cure}"
        ) from error
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        # Without the files of a tokenizer, transformers makes one that knows nothing.
        raise ModelError(
            f"{the_model.capitalize()} {name!r} cannot be loaded: its tokenizer has no "
            "words. It needs a config.json, a tokenizer and weights in safetensors."
        )
    if not tokenizer.is_fast:
        raise ModelError(
            f"The tokenizer of {the_model} {name!r} does not return the offsets "
            "of its tokens. Use a model with a fast tokenizer (tokenizer.json)."
        )
    return Pretrained(tokenizer, model.eval(), tuple(sorted(details["missing_keys"])))


def plain_config(config: Any) -> dict[str, Any]:
    """Return what a model's configuration says of the model itself, for digests.

    Parameters
    ----------
    config : PretrainedConfig

    Returns
    -------
    values : dict
        Plain values for JSON; without the version of transformers that is running, the
        place of the model, and the number format of its weights.
    """
    values = json.loads(config.to_json_string())
    return {key: x for key, x in values.items() if key not in _PASSING_ENTRIES}
