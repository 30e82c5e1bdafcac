"""Where the suite and the reference controller's declaration stand."""

from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parent.parent

#: The feature files that come with nohold.
FEATURES: Final = _ROOT / "features"
#: What is examined where nothing else is asked for.
REFERENCE: Final = _ROOT / "controller_ref" / "declaration.toml"
