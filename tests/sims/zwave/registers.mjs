// What the stock controller mock cannot be asked, though every real one can: it makes a pulled stick noticeable.
import { FunctionType, Message, MessageType } from "@zwave-js/serial";
import { getDefaultSupportedFunctionTypes } from "@zwave-js/testing";

const NOT_FAILED = 0;

export const supportedFunctionTypes = [...getDefaultSupportedFunctionTypes(), FunctionType.IsFailedNode];

/** "Is this node on your list of failed nodes?" is answered from memory, without the radio. */
export const respondToIsFailedNode = {
  async onHostMessage(controller, message) {
    if (message.functionType !== FunctionType.IsFailedNode) return false;
    const answer = { type: MessageType.Response, functionType: FunctionType.IsFailedNode };
    await controller.sendMessageToHost(new Message({ ...answer, payload: Uint8Array.from([NOT_FAILED]) }));
    return true;
  },
};
