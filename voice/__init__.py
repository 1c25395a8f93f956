"""The library: no DVC, no Prefect, no params.yaml; plain arguments in, values out."""
