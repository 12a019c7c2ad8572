from huangpu.channels.cli.main import main

main()
