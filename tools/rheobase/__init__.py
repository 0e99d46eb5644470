"""Host tools of Rheobase: client, command line, virtual board, plots, emulator."""
