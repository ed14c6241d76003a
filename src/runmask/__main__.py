"""``python -m runmask``"""

from runmask_command import main

main()
