// The joining side of S2 key exchange. The stock mock shows its whole public key, asks for the classes it was made
// with whatever it is granted, and says KEX Set once, so that nobody would have time to enter a PIN.
import {
  ECDHProfiles,
  KEXSchemes,
  Security2CC,
  Security2CCKEXFail,
  Security2CCKEXGet,
  Security2CCKEXReport,
  Security2CCKEXSet,
  Security2CCNonceGet,
  Security2CCNonceReport,
  Security2CCPublicKeyReport,
  SecurityCCNetworkKeySet,
} from "@zwave-js/cc";
import {
  SPANState,
  SecurityClass,
  computePRK,
  deriveSharedECDHSecret,
  deriveTempKeys,
  dskToString,
} from "@zwave-js/core";
import { createMockZWaveRequestFrame } from "@zwave-js/testing";

const STAGE_KEY = "Security2_bootstrapState"; // the stock mock's, which goes on after the handshake
const STARTED = 0;
const HANDSHAKE = 1;
const REPEAT = 250; // ms between two KEX Set; real devices take 10 s
const NONCE_TIMEOUT = 1000; // ms
const KEPT_BYTES = 2; // of the DSK, which only its label shows

/** The DSK as on the device's label. */
export function dskOf(node) {
  return dskToString(node.ecdhKeyPair.publicKey.slice(0, 16));
}

/** Has a new node forget the keys that the mocks give it: it asks for `requested` when it is included. */
export function unbind(node, requested) {
  const { encodingContext, controller } = node;
  for (const securityClass of Object.values(SecurityClass).filter(Number.isInteger)) {
    encodingContext.setSecurityClass(node.id, securityClass, false);
    encodingContext.setSecurityClass(controller.ownNodeId, securityClass, false);
  }
  const highest = encodingContext.getHighestSecurityClass.bind(encodingContext);
  encodingContext.getHighestSecurityClass = (id) => {
    const known = highest(id);
    // What "none" would have it ignore is encrypted with the temporary key.
    return known === SecurityClass.None && stageOf(node) !== undefined ? undefined : known;
  };
  node.state.set("sim.requestedKeys", [...requested]);
  node.capabilities.securityClasses = new Set();
}

const stageOf = (node) => node.state.get(STAGE_KEY);
const answer = (cc) => ({ action: "sendCC", cc });

export const keyExchange = {
  async handleCC(controller, node, cc) {
    const nodeId = controller.ownNodeId;
    if (cc instanceof SecurityCCNetworkKeySet) node.capabilities.securityClasses = new Set([SecurityClass.S0_Legacy]);
    if (node.securityManagers.securityManager2 === undefined) return undefined;
    if (cc instanceof Security2CCKEXGet) {
      node.state.set(STAGE_KEY, { stage: STARTED });
      return answer(
        new Security2CCKEXReport({
          nodeId,
          echo: false,
          requestCSA: false,
          supportedKEXSchemes: [KEXSchemes.KEXScheme1],
          supportedECDHProfiles: [ECDHProfiles.Curve25519],
          requestedKeys: node.state.get("sim.requestedKeys") ?? [],
        }),
      );
    }
    if (cc instanceof Security2CCKEXSet && !cc.echo) {
      node.state.set(STAGE_KEY, { stage: HANDSHAKE, grantedKeys: [...cc.grantedKeys] });
      return answer(new Security2CCPublicKeyReport({ nodeId, includingNode: false, publicKey: shownKey(node, cc) }));
    }
    if (cc instanceof Security2CCPublicKeyReport && cc.includingNode) {
      await agreeOnTemporaryKey(node, cc.publicKey);
      void askUntilHeard(node, stageOf(node));
      return { action: "stop" };
    }
    if (cc instanceof Security2CCKEXFail) node.state.delete(STAGE_KEY);
    return undefined;
  },
};

/** Without the part that a person has to enter, where the classes demand that. */
function shownKey(node, { grantedKeys }) {
  const key = Uint8Array.from(node.ecdhKeyPair.publicKey);
  const isAuthenticated =
    grantedKeys.includes(SecurityClass.S2_AccessControl) || grantedKeys.includes(SecurityClass.S2_Authenticated);
  if (isAuthenticated) key.fill(0, 0, KEPT_BYTES);
  return key;
}

async function agreeOnTemporaryKey(node, publicKey) {
  const { privateKey, publicKey: own } = node.ecdhKeyPair;
  const { securityManager2 } = node.securityManagers;
  const secret = await deriveSharedECDHSecret({ publicKey, privateKey });
  const keys = await deriveTempKeys(await computePRK(secret, publicKey, own));
  securityManager2.deleteNonce(node.controller.ownNodeId);
  securityManager2.tempKeys.set(node.controller.ownNodeId, {
    keyCCM: keys.tempKeyCCM,
    personalizationString: keys.tempPersonalizationString,
  });
  node.capabilities.securityClasses = new Set(stageOf(node).grantedKeys);
}

/** Says what it was granted, encrypted, until the controller has the PIN and can read it, or gives up. */
async function askUntilHeard(node, stage) {
  const nodeId = node.controller.ownNodeId;
  while (stageOf(node) === stage && node.controller.driverPresent) {
    const cc = new Security2CCKEXSet({
      nodeId,
      echo: true,
      permitCSA: false,
      selectedKEXScheme: KEXSchemes.KEXScheme1,
      selectedECDHProfile: ECDHProfiles.Curve25519,
      grantedKeys: stage.grantedKeys,
    });
    if (await hasNonce(node)) await send(node, Security2CC.encapsulate(cc, node.id, node.securityManagers));
    await new Promise((resolve) => setTimeout(resolve, REPEAT));
  }
  if (stageOf(node) === undefined) {
    node.capabilities.securityClasses = new Set();
    node.securityManagers.securityManager2.tempKeys.delete(nodeId);
  }
}

async function hasNonce(node) {
  const nodeId = node.controller.ownNodeId;
  const { type } = node.securityManagers.securityManager2.getSPANState(nodeId);
  if (type === SPANState.SPAN || type === SPANState.RemoteEI) return true;
  const isNonce = ({ payload }) => payload instanceof Security2CCNonceReport && payload.SOS;
  const reply = node.expectControllerFrame(isNonce, { timeout: NONCE_TIMEOUT });
  await send(node, new Security2CCNonceGet({ nodeId }));
  return reply.then(
    () => true,
    () => false,
  );
}

function send(node, cc) {
  return node.sendToController(createMockZWaveRequestFrame(cc, { ackRequested: false }));
}
