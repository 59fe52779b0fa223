import test from 'ava'
import * as ownWeb from './inject.ts'
import { streamsScenarios } from './streams.scenarios.ts'
import { asInNode } from './testing.ts'

asInNode(test, streamsScenarios, ownWeb)
