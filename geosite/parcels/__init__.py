"""The land register: whose land lies where in the area of interest, and may it be offered.

A *part* is a polygon of a land layer; a *tract* is contiguous land that one
unit (an installation, a forest, a reservation) says is its own; a *piece* is
what is left of a tract inside the area of interest once more protected owners
have theirs; a *parcel* is the pieces of one unit that touch.
"""

from geosite.parcels.naming import located
from geosite.parcels.overlay import PRECEDENCE
from geosite.parcels.register import ESTATE, Register, land_register

__all__ = ["ESTATE", "PRECEDENCE", "Register", "land_register", "located"]
