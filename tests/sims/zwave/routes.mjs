// The transmit reports of real sticks: by which route a frame went and how strong its acknowledgement was.
import { ProtocolDataRate } from "@zwave-js/core";
import { SendDataBridgeRequest, SendDataBridgeRequestTransmitReport } from "@zwave-js/serial/serialapi";
import { SendDataRequest, SendDataRequestTransmitReport } from "@zwave-js/serial/serialapi";

/**
 * Adds them for nodes with the state `sim.route`, {repeaters: [ids], rssi: dBm}; the stock mock reports none.
 */
export function reportRoutes(controller) {
  const targets = new Map();
  const send = controller.sendMessageToHost.bind(controller);
  controller.defineBehavior({
    onHostMessage(_controller, message) {
      if (message instanceof SendDataRequest || message instanceof SendDataBridgeRequest) {
        targets.set(message.callbackId, message.getNodeId());
      }
      return false;
    },
  });
  controller.sendMessageToHost = (message, ...more) => {
    const isReport =
      message instanceof SendDataRequestTransmitReport || message instanceof SendDataBridgeRequestTransmitReport;
    if (isReport) message.txReport = reportOf(controller.nodes.get(targets.get(message.callbackId)));
    return send(message, ...more);
  };
}

function reportOf(node) {
  const route = node?.state.get("sim.route");
  if (route === undefined) return undefined;
  return {
    txTicks: 2,
    repeaterNodeIds: route.repeaters,
    ackRSSI: route.rssi,
    routeSpeed: ProtocolDataRate.ZWave_100k,
    routingAttempts: 1,
  };
}
