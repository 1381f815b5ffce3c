"""A Modbus server by pymodbus (Debian: python3-pymodbus, python3-serial-asyncio): units 1 and 2, 1000 words each.

server.py tcp            on a free port of 127.0.0.1
server.py rtu PORT       on a serial port

Prints {"ready": true, "port": N} when it listens, and ends with its standard input.
"""

import asyncio
import json
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer


def unit(number):
    return ModbusSlaveContext(
        co=ModbusSequentialDataBlock(0, [False] * 1000),
        di=ModbusSequentialDataBlock(0, [True, False] * 500),
        hr=ModbusSequentialDataBlock(0, [number] + [0] * 999),
        ir=ModbusSequentialDataBlock(0, [0x41AC, 0x0000] + [7] * 998),
        zero_mode=True,
    )


async def main():
    context = ModbusServerContext(slaves={1: unit(1), 2: unit(2)}, single=False)
    port = None
    if sys.argv[1] == "tcp":
        server = ModbusTcpServer(context, framer=ModbusSocketFramer, address=("127.0.0.1", 0))
        serving = asyncio.ensure_future(server.serve_forever())
        await server.serving
        port = server.server.sockets[0].getsockname()[1]
    else:
        server = ModbusSerialServer(
            context, framer=ModbusRtuFramer, port=sys.argv[2], baudrate=19200, ignore_missing_slaves=True
        )
        await server.start()
        serving = asyncio.ensure_future(server.serve_forever())
    print(json.dumps({"ready": True, "port": port}), flush=True)
    await asyncio.get_event_loop().run_in_executor(None, sys.stdin.read)
    serving.cancel()


asyncio.run(main())
