// The stick's "USB port": a TCP socket that one driver at a time may open, and that can be pulled out.
import net from "node:net";

const NAK = 0x15;

export class SerialSocket {
  #server = net.createServer((socket) => this.#accept(socket));
  #port;
  #driver;
  #stick;
  #parserClass;
  #serialApi;

  get connected() {
    return this.#driver !== undefined;
  }

  /** Opens the port. A driver that connects before `attach` is kept waiting, its bytes unread. */
  listen(port) {
    this.#port = port;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  /** Wires the port to a stick, from now on. */
  async attach(stick) {
    const { SerialAPIParser, ZWaveSerialFrameType } = await import("@zwave-js/serial");
    this.#parserClass = SerialAPIParser;
    this.#serialApi = ZWaveSerialFrameType.SerialAPI;
    this.#stick = stick;
    const toDriver = new WritableStream({
      write: (chunk) => {
        if (chunk.type === this.#serialApi) this.#driver?.write(bytes(chunk.data));
      },
    });
    stick.serial.readable
      .pipeTo(toDriver)
      .catch((error) => console.error("stick's output ended:", error?.message));
    if (this.#driver) this.#open(this.#driver);
  }

  /** Pulls the stick: the connection drops and new ones are refused. */
  unplug() {
    this.#server.close();
    this.#driver?.destroy();
  }

  /** Puts the stick back on the same port. */
  async plug() {
    if (!this.#server.listening) await this.listen(this.#port);
  }

  #accept(socket) {
    if (this.#driver) {
      socket.destroy();
      return;
    }
    this.#driver = socket;
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#driver = undefined;
      this.#stick?.disconnected();
      console.log("driver disconnected");
    });
    console.log("driver connected");
    if (this.#stick) this.#open(socket);
  }

  #open(socket) {
    this.#stick.connected();
    const parser = new this.#parserClass(); // TCP does not keep frames apart
    const input = parser.writable.getWriter();
    const toStick = new WritableStream({
      write: async (frame) => {
        if (frame.type === this.#serialApi) await this.#stick.serial.writeAsync(bytes(frame.data));
      },
    });
    parser.readable.pipeTo(toStick).catch(() => {});
    let first = true;
    socket.on("data", (data) => {
      // The driver opens with a NAK to find out what it talks to and waits 500 ms for one in return.
      // Returning it spares that wait; it goes on to find a serial API either way.
      if (first && data[0] === NAK) socket.write(bytes(NAK));
      first = false;
      input.write(data).catch(() => {});
    });
    socket.on("close", () => input.abort().catch(() => {}));
  }
}

function bytes(data) {
  return typeof data === "number" ? Uint8Array.from([data]) : data;
}
