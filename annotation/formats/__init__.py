"""Files to and from frozen values. Pure: no database, no framework."""
