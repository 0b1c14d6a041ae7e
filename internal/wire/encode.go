package wire

import (
	"encoding/binary"
	"strings"
)

// The encoders append one whole frame in the form that a peer of the given
// server version uses: text below 201, a raw id and text from there on,
// protobuf from 203 (error), 207 (managedAccounts) or 213 (the others). The
// versions are those from which client libraries expect or send that form;
// every client decides by the id, so an earlier form would be understood too.

// AppendStartAPI appends a client's startAPI.
func AppendStartAPI(dst []byte, version int, s StartAPI) []byte {
	dst, mark := beginFrame(dst)
	if version >= versionSessionProto {
		dst = appendRawID(dst, IDStartAPI+protobufOffset)
		if s.HasClientID { // an optional field: 0 is written, absence is not 0
			dst = appendProtoInt(dst, 1, int64(s.ClientID))
		}
		return endFrame(appendProtoText(dst, 2, s.Capabilities), mark)
	}
	dst = appendInt(appendID(dst, version, IDStartAPI), 2)
	if s.HasClientID {
		dst = appendInt(dst, int64(s.ClientID))
	} else {
		dst = appendText(dst, "")
	}
	return endFrame(appendText(dst, s.Capabilities), mark)
}

// AppendManagedAccounts appends a server's list of accounts.
func AppendManagedAccounts(dst []byte, version int, accounts []string) []byte {
	list := strings.Join(accounts, ",")
	dst, mark := beginFrame(dst)
	if version >= versionAccountsProto {
		dst = appendRawID(dst, IDManagedAccounts+protobufOffset)
		return endFrame(appendProtoText(dst, 1, list), mark)
	}
	dst = appendInt(appendID(dst, version, IDManagedAccounts), 1)
	return endFrame(appendText(dst, list), mark)
}

// AppendNextValidID appends a server's nextValidId.
func AppendNextValidID(dst []byte, version, id int) []byte {
	dst, mark := beginFrame(dst)
	if version >= versionSessionProto {
		dst = appendRawID(dst, IDNextValidID+protobufOffset)
		return endFrame(appendProtoInt(dst, 1, int64(id)), mark)
	}
	dst = appendInt(appendID(dst, version, IDNextValidID), 1)
	return endFrame(appendInt(dst, int64(id)), mark)
}

// AppendError appends a server's error message, without an advanced reject
// text. TimeMS is sent from server 194 on.
func AppendError(dst []byte, version int, e ErrorMessage) []byte {
	dst, mark := beginFrame(dst)
	if version >= versionErrorProto {
		dst = appendRawID(dst, IDError+protobufOffset)
		dst = appendProtoInt(dst, 1, int64(e.ID))
		dst = appendProtoInt(dst, 2, e.TimeMS)
		dst = appendProtoInt(dst, 3, int64(e.Code))
		return endFrame(appendProtoText(dst, 4, e.Text), mark)
	}
	dst = appendID(dst, version, IDError)
	if version < versionErrorTime {
		dst = appendInt(dst, 2)
	}
	dst = appendInt(dst, int64(e.ID))
	dst = appendInt(dst, int64(e.Code))
	dst = appendText(dst, e.Text)
	if version >= versionRejectJSON {
		dst = appendText(dst, "")
	}
	if version >= versionErrorTime {
		dst = appendInt(dst, e.TimeMS)
	}
	return endFrame(dst, mark)
}

// AppendReqCurrentTime appends a client's request for the server's clock.
func AppendReqCurrentTime(dst []byte, version int) []byte {
	dst, mark := beginFrame(dst)
	if version >= versionSessionProto {
		return endFrame(appendRawID(dst, IDReqCurrentTime+protobufOffset), mark)
	}
	return endFrame(appendInt(appendID(dst, version, IDReqCurrentTime), 1), mark)
}

// AppendCurrentTime appends a server's clock, in Unix seconds.
func AppendCurrentTime(dst []byte, version int, unix int64) []byte {
	dst, mark := beginFrame(dst)
	if version >= versionSessionProto {
		dst = appendRawID(dst, IDCurrentTime+protobufOffset)
		return endFrame(appendProtoInt(dst, 1, unix), mark)
	}
	dst = appendInt(appendID(dst, version, IDCurrentTime), 1)
	return endFrame(appendInt(dst, unix), mark)
}

func appendID(dst []byte, version, id int) []byte {
	if version >= versionRawID {
		return appendRawID(dst, id)
	}
	return appendInt(dst, int64(id))
}

func appendRawID(dst []byte, id int) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(id))
}

// appendProtoInt writes an int32 or int64 field; a negative one takes ten bytes.
func appendProtoInt(dst []byte, field int, n int64) []byte {
	dst = append(dst, byte(field<<3|wireVarint))
	return binary.AppendUvarint(dst, uint64(n))
}

// appendProtoText writes a string field, unless it is empty.
func appendProtoText(dst []byte, field int, s string) []byte {
	if s == "" {
		return dst
	}
	dst = append(dst, byte(field<<3|wireBytes))
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}
