"""python -m rheobase.demo"""

import sys

from rheobase.demo.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
