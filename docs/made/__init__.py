"""What the documentation is made by: `scripts/docs` writes pages of the code, `scripts/site` the site of them all."""
