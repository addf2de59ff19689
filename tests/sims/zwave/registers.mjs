// Functions of the serial API that real sticks have and the stock mock has not; see membership.mjs and memory.mjs.
import { FunctionType } from "@zwave-js/serial";
import { getDefaultSupportedFunctionTypes } from "@zwave-js/testing";

export const supportedFunctionTypes = [
  ...getDefaultSupportedFunctionTypes(),
  FunctionType.IsFailedNode,
  FunctionType.RemoveFailedNode,
  FunctionType.ReplaceFailedNode,
  FunctionType.RequestNodeNeighborUpdate,
  FunctionType.DeleteReturnRoute,
  FunctionType.AssignReturnRoute,
  FunctionType.GetBackgroundRSSI,
  FunctionType.GetRoutingInfo,
  FunctionType.NVMOperations,
  FunctionType.SetRFReceiveMode,
];
