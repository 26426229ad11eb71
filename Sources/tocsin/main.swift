import Glibc

let code = Program.run(Array(CommandLine.arguments.dropFirst()))
// Threads of a client that could not be ended may still run: without the tear-down that `exit` does, they find all in place.
fflush(nil)
_exit(code.rawValue)
