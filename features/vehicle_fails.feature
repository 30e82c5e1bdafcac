Feature: The vehicle fails
  Vehicles refuse, pause, fail and are swapped. The driver pays for what was delivered.

  Source: EV guide, stop use cases; IEC 61851-1 states

  @must @R-FLT-03 @R-NOS-04
  Rule: A vehicle that fails before energy costs nothing

    @S-E01 @sample
    Scenario: The vehicle does not talk to the charger
      Given the driver comes with the sleepy
      And the driver has been authorised
      And the driver has plugged in at connector 1
      When connector 1 reports EVCommunicationError
      Then the driver's session is released within 10 seconds

    @S-E05
    Scenario: The vehicle asks for ventilation that the site does not have
      Given the controller claims no ventilation
      And the driver comes with the ventilated
      And the driver has been authorised
      When the driver plugs in at connector 1
      Then no energy flows at connector 1
      And the driver's session is released within 310 seconds

    @S-E05
    Scenario: The vehicle asks for ventilation that the site has
      Given the controller claims ventilation
      And the driver comes with the ventilated
      And the driver has been authorised
      When the driver plugs in at connector 1
      Then energy flows at connector 1 within 30 seconds

  @must @R-STP-10
  Rule: A vehicle that stops drawing is settled within the declared bound

    @S-E03
    Scenario: The vehicle stops drawing and never returns
      Given the parked-full window is 10 minutes
      And the driver is charging at connector 1
      When the vehicle at connector 1 stops asking for energy
      Then the driver's session is committed within 610 seconds

  @must @R-FLT-03
  Rule: A pilot fault commits what was delivered

    @S-E04
    Scenario Outline: The pilot falls to <pilot> during the charge
      Given the driver is charging at connector 1
      When the pilot of connector 1 falls to <pilot>
      Then the driver's session is committed within 10 seconds

      Examples:
        | pilot |
        | E     |
        | F     |

    @S-E04
    Scenario: The pilot falls to E before energy flows
      Given the driver comes with the sleepy
      And the driver has been authorised
      And the driver has plugged in at connector 1
      When the pilot of connector 1 falls to E
      Then the driver's session is released within 10 seconds

  @must @R-STP-10 @R-STP-11 @R-STP-01 @R-NOS-05
  Rule: Energy after an unplug needs a new authorisation

    @S-E06
    Scenario: The driver plugs the same vehicle in again
      Given the driver is charging at connector 1
      And the driver has unplugged at connector 1
      And 5 seconds have passed
      When the driver plugs in at connector 1
      Then the driver's session is committed within 10 seconds
      And one session has been opened

    @S-E07
    Scenario: The vehicle leaves while the charger is offline, and another one comes
      Given the driver is charging at connector 1
      And the charger is offline
      And the driver has driven off from connector 1
      And the link to the charger has been back for 60 seconds
      And the second driver has plugged in at connector 1
      When the second driver taps
      Then energy flows at connector 1 within 60 seconds

    @S-E07
    Scenario: Another vehicle takes the plug
      Given the driver is charging at connector 1
      And the driver has driven off from connector 1
      And 5 seconds have passed
      When the second driver plugs in at connector 1
      Then the driver's session is committed within 10 seconds
      And no energy flows at connector 1
