"""The course as a PDF and as an ePub, from the pages of the site: no second text to keep."""
