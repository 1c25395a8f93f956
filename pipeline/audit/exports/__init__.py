"""A model's lineage in the formats of others, from one audit.

- `model_card`: Markdown for people; `statement`: in-toto Statement v1 with SLSA provenance v1
- `bom`: CycloneDX 1.6 ML-BOM; `openlineage`: run events; `table`: the utterances as CSV
- `facts`: what all of them are made from; `write`: all of them into a folder
"""

from pipeline.audit.exports.write import FILES, export

__all__ = ["FILES", "export"]
