"""moto, repaired so that an AWS client meets what AWS documents.

Every rule that this package supplies is a row of ../../BEHAVIOUR.md, with the
AWS documentation that it follows and the test that shows it.
"""
