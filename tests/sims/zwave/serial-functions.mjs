// Functions of the serial API that the stock mock lacks, or answers unlike real sticks, byte by byte.
import { Message, MessageType } from "@zwave-js/serial";

const SOF = 0x01;
const HEADER = 4; // SOF, length, type, function

/**
 * A behavior that answers the functions in `handlers`, {FunctionType: async (payload, reply) => ...}, before the
 * stock mock sees them; many of these messages it could not even parse. `reply.respond(bytes)` is the response,
 * `reply.callback(bytes)` a later request of the stick.
 */
export function serialFunctions(handlers) {
  return {
    onHostData(controller, data) {
      const functionType = data[3];
      const handler = handlers[functionType];
      if (data[0] !== SOF || data[2] !== MessageType.Request || handler === undefined) return false;
      controller.ackHostMessage();
      const reply = replies(controller, functionType);
      // Waiting here would keep the stick from hearing the driver's ACK.
      void handler(data.subarray(HEADER, -1), reply).catch((error) => {
        console.log("the driver was not told:", error?.message ?? error);
      });
      return true;
    },
  };
}

export function replies(controller, functionType) {
  const send = (type, bytes) =>
    controller.sendMessageToHost(new Message({ type, functionType, payload: Uint8Array.from(bytes) }));
  return {
    respond: (bytes) => send(MessageType.Response, bytes),
    callback: (bytes) => send(MessageType.Request, bytes),
  };
}
