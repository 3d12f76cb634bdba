// aedes as its readme starts it, with nothing around it, on a free port of 127.0.0.1, which it prints.

import { createServer, type AddressInfo } from 'node:net'

import { Aedes } from 'aedes'

const broker = await Aedes.createBroker()
const server = createServer(broker.handle)
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`))
