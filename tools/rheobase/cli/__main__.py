from rheobase.cli import main

main(prog_name="rheobase")
