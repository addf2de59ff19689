// Ends the process when its standard input does, so that a killed test run leaves nothing running.
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
process.stdin.unref();
