"""Replies after what is public of real servers' replies; names, ids and numbers are made up."""

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.messages import read_reply

USER = """<SaltoDBUser><ExtUserID>A1B2C3D4E5F60718293A4B5C6D7E8F90</ExtUserID><Title></Title>
<FirstName>Jos&#233;</FirstName>
<LastName>Garc&#237;a</LastName><Office/><AuditOpenings>1</AuditOpenings><UseADA>0</UseADA><CalendarID>0</CalendarID>
<GPF1>Night</GPF1><GPF2/><GPF3>x</GPF3><GPF4/><GPF5/>
<AutoKeyEdit.ROMCode/><CurrentROMCode>04a1b2c3d4e5f6</CurrentROMCode>
<UserActivation>2024-01-01T00:00:00</UserActivation><UserExpiration.Enabled>1</UserExpiration.Enabled>
<UserExpiration>2024-12-31T24:00:00</UserExpiration><CurrentKeyExists>1</CurrentKeyExists>
<CurrentKeyPeriod><StartDate>2024-01-01T00:00:00</StartDate><EndDate>2024-6-30T24:00:00</EndDate></CurrentKeyPeriod>
<CurrentKeyStatus>3</CurrentKeyStatus><PINEnabled>1</PINEnabled><PINCode>471199</PINCode>
<WiegandCode>99887766</WiegandCode>
<IsBanned>0</IsBanned><OverridePrivacy>1</OverridePrivacy>
<PhoneNumber>+34600112233</PhoneNumber><MobileAppType>2</MobileAppType>
<PictureFileName/><AuthorizationCodeList/>
<SaltoDB.AccessPermissionList.User_Door><SaltoDB.AccessPermission.User_Door><ExtDoorID>door1</ExtDoorID>
<TimezoneTableID>0</TimezoneTableID><UsePeriod>1</UsePeriod><Period><StartDate>2024-03-01T00:00:00</StartDate>
<EndDate>2024-03-02T24:00:00</EndDate></Period></SaltoDB.AccessPermission.User_Door></SaltoDB.AccessPermissionList.User_Door>
<SaltoDB.MembershipList.User_Group><SaltoDB.Membership.User_Group><ExtGroupID>staff</ExtGroupID>
</SaltoDB.Membership.User_Group></SaltoDB.MembershipList.User_Group></SaltoDBUser>"""


def reply(name: str, params: str) -> bytes:
    head = "<?xml version='1.0' encoding='utf-8'?>"
    return f"{head}<RequestResponse><RequestName>{name}</RequestName>{params}</RequestResponse>".encode()


def result(name: str, params: str) -> Element:
    """The `Params` of a reply."""
    return read_reply(reply(name, f"<Params>{params}</Params>"), name)


def refused(name: str, code: str, message: str = "No.") -> bytes:
    return reply(name, f"<Exception><Code>{code}</Code><Message>{message}</Message></Exception>")


def record(text: str) -> Element:
    """One record of XML text."""
    return result("X", text).children[0]
