"""`hubd-zwave`: installs zwave-js-server and runs it so that it is safe for locks. Needs neither hub nor driver."""
